// The icons that the theme uses, instead of all 2000 icons of Font Awesome (1.5 MB on every page).
import {dom, library} from "@fortawesome/fontawesome-svg-core";
import {
  faAngleLeft, faAngleRight, faArrowUp, faBars, faCircleHalfStroke, faDownload, faExpand, faFile, faFilePdf, faList,
  faMagnifyingGlass, faMoon, faSun, faXmark,
} from "@fortawesome/free-solid-svg-icons";

library.add(
  faAngleLeft, faAngleRight, faArrowUp, faBars, faCircleHalfStroke, faDownload, faExpand, faFile, faFilePdf, faList,
  faMagnifyingGlass, faMoon, faSun, faXmark,
);
dom.watch();
