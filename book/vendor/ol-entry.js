// The parts of OpenLayers that the map of the book uses; `build.sh` bundles them into one file with the global name `ol`.
export {default as Feature} from "ol/Feature.js";
export {default as Map} from "ol/Map.js";
export {default as View} from "ol/View.js";
export {default as ScaleLine} from "ol/control/ScaleLine.js";
export {defaults as controls} from "ol/control/defaults.js";
export {default as GeoJSON} from "ol/format/GeoJSON.js";
export {fromExtent} from "ol/geom/Polygon.js";
export {defaults as interactions} from "ol/interaction/defaults.js";
export {default as ImageLayer} from "ol/layer/Image.js";
export {default as VectorLayer} from "ol/layer/Vector.js";
export {default as Projection} from "ol/proj/Projection.js";
export {getRenderPixel} from "ol/render.js";
export {default as ImageSource} from "ol/source/Image.js";
export {default as VectorSource} from "ol/source/Vector.js";
export {default as Stroke} from "ol/style/Stroke.js";
export {default as Style} from "ol/style/Style.js";
