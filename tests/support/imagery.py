"""Small Sentinel-2 L2A products with real names and layout, and a STAC service on this machine that serves them badly."""

import json
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.transform import array_bounds
from rasterio.warp import transform_bounds

from paperlib.compositing.stac import NAMES
from paperlib.scenes.sensors import BANDS, BANDS_10M

CRS_TILE, ORIGIN, SIZE = CRS.from_epsg(32631), (300000, 4900020), 128
SAFE_NAMES = NAMES[2].split()  # B02_10m ... SCL_20m: so are the files named
GRANULE = "GRANULE/L2A_T31TCJ_A007459_20180815T105300/IMG_DATA"


def transform(pixel: int) -> Affine:
    return Affine(pixel, 0, ORIGIN[0], 0, -pixel, ORIGIN[1])


def bbox(size: int = SIZE) -> list[float]:
    return list(transform_bounds(CRS_TILE, "EPSG:4326", *array_bounds(size, size, transform(10))))


def pixels(band: str) -> int:
    return 10 if band in BANDS_10M or band in ("CLM", "MG2") else 20


def write(path: Path, image: np.ndarray, pixel: int, crs: CRS = CRS_TILE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    jpeg = {"driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES", "BLOCKXSIZE": 64, "BLOCKYSIZE": 64}
    layout = jpeg if path.suffix == ".jp2" else {"driver": "COG", "compress": "deflate", "blocksize": 128}
    shape = {"count": 1, "height": image.shape[0], "width": image.shape[1]}
    with rasterio.open(path, "w", dtype=image.dtype, crs=crs, transform=transform(pixel), **shape, **layout) as file:
        file.write(image, 1)


def image(value, pixel: int, dtype: str = "uint16", size: int = SIZE) -> np.ndarray:
    """A number, or an image of 20 m, at a pixel size."""
    value = np.broadcast_to(value, (size // 2, size // 2))
    return (value.repeat(2, 0).repeat(2, 1) if pixel == 10 else value).astype(dtype)


def stored(values, band: str):
    return values[band] if isinstance(values, dict) else values


def write_safe(folder: Path, date: str = "20180815", values=1000, scl=4, baseline: str = "0208", offset=None) -> Path:
    """An ESA product: values and SCL are numbers or 20 m images, values also by band; `offset` as its metadata say."""
    path = folder / f"S2A_MSIL2A_{date}T105021_N{baseline}_R051_T31TCJ_{date}T160100.SAFE"
    for band, asset in zip((*BANDS, "SCL"), SAFE_NAMES, strict=True):
        metres = asset[-3:]
        target = path / GRANULE / f"R{metres}" / f"T31TCJ_{date}T105021_{asset}.jp2"
        if band == "SCL":
            write(target, image(scl, 20, "uint8"), 20)
        else:
            write(target, image(stored(values, band), pixels(band)), pixels(band))
    offsets = (
        "" if offset is None else "".join(f'<BOA_ADD_OFFSET band_id="{n}">{offset}</BOA_ADD_OFFSET>' for n in range(13))
    )
    (path / "MTD_MSIL2A.xml").write_text(
        f"<a><BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE><L>{offsets}</L></a>"
    )
    return path


def write_theia(folder: Path, date: str = "20180815", values=1000, clm=0, mg2=0, size: int = SIZE) -> Path:
    """A Theia product: values, CLM and MG2 are numbers or 20 m images."""
    path = folder / f"SENTINEL2A_{date}-105021-460_L2A_T31TCJ_C_V2-2"
    for band in BANDS:
        content = image(stored(values, band), pixels(band), "int16", size)
        write(path / f"{path.name}_FRE_{band}.tif", content, pixels(band))
    for mask, content in (("CLM", clm), ("MG2", mg2)):
        write(path / "MASKS" / f"{path.name}_{mask}_R1.tif", image(content, 10, "uint8", size), 10)
    (path / f"{path.name}_MTD_ALL.xml").write_text(
        "<a><REFLECTANCE_QUANTIFICATION_VALUE>10000</REFLECTANCE_QUANTIFICATION_VALUE></a>"
    )
    return path


class Handler(BaseHTTPRequestHandler):
    """A landing page, item search with pages, and files with ranges; each answer may have a fault."""

    protocol_version = "HTTP/1.1"
    wbufsize, disable_nagle_algorithm = -1, True  # else each answer waits 40 ms

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer()

    def answer(self, body: bool = True):
        service, path = self.server, self.path.partition("?")[0]
        service.log.append((self.command, path))
        planned = service.faults.get(path, [])
        fault = planned[0] if planned and planned[0] in service.lasting else planned.pop(0) if planned else None
        if fault == "hang":
            time.sleep(service.hang)
            self.close_connection = True
        elif isinstance(fault, int):
            self.send(fault, b"broken")
        elif fault and fault.startswith("http"):
            self.send(302, b"", Location=fault)
        elif fault == "garbage":
            self.send(200, b"<html>maintenance</html>")
        elif path in ("/v1", "/v1/search"):
            self.send(200, json.dumps(self.landing() if path == "/v1" else self.page()).encode())
        else:
            self.file(service.root / path[1:], body, fault)

    def send(self, status: int, content: bytes, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def landing(self) -> dict:
        own = self.server.endpoint
        classes = [f"https://api.stacspec.org/v1.0.0/{name}" for name in ("core", "item-search")]
        links = [{"rel": "self", "href": own}, {"rel": "root", "href": own}]
        search = {"rel": "search", "href": self.server.search, "method": "POST", "type": "application/geo+json"}
        facts = {"type": "Catalog", "id": "test", "stac_version": "1.0.0", "description": "test"}
        return {**facts, "conformsTo": classes, "links": [*links, search]}

    def page(self) -> dict:
        start = int(self.asked.get("token", 0))
        first, last = (moment[:10] for moment in self.asked["datetime"].split("/"))
        items = [item for item in self.server.items if first <= (item["properties"]["datetime"] or first)[:10] <= last]
        body = {**self.asked, "token": str(start + self.server.page)}
        following = {"rel": "next", "method": "POST", "href": self.server.search, "body": body}
        more = start + self.server.page < len(items)
        features = items[start : start + self.server.page]
        return {"type": "FeatureCollection", "features": features, "links": [following] if more else []}

    def file(self, path: Path, body: bool, fault: str | None):
        if not path.is_file():
            return self.send(404, b"")
        content, total = path.read_bytes(), path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and int(asked[1]) >= total:
            return self.send(416, b"", Content_Range=f"bytes */{total}")
        headers = {"Accept-Ranges": "bytes"}
        if asked:
            last = min(int(asked[2] or total - 1), total - 1)
            content = content[int(asked[1]) : last + 1]
            headers["Content-Range"] = f"bytes {asked[1]}-{last}/{total}"
        self.send_response(206 if asked else 200)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content[: len(content) // 2] if fault == "short" else content)
            self.close_connection = fault == "short"


class Service(ThreadingHTTPServer):
    """The service: `items` it knows, `faults` by path (each served once, those in `lasting` for ever), `log`."""

    daemon_threads = True

    def __init__(self, root: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.root, self.items, self.faults, self.log, self.lasting = root, [], {}, [], ()
        self.page, self.hang = 2, 3.0
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.endpoint, self.search = f"{self.base}/v1", f"{self.base}/v1/search"

    def handle_error(self, *_):
        """Clients of this service hang up: that is the test."""

    def add(self, date: str = "2018-08-15", values=1000, scl=4, scheme: int = 0, number: int = 0, **properties) -> dict:
        """Write the files of one acquisition and return its item, which the service finds from now on."""
        name = f"S2A_31TCJ_{date.replace('-', '')}_{number}_L2A"
        assets = {}
        for band, asset in zip((*BANDS, "SCL"), NAMES[scheme].split(), strict=True):
            path = self.root / name / f"{asset}.tif"
            content = image(scl, 20, "uint8") if band == "SCL" else image(stored(values, band), pixels(band))
            write(path, content, pixels(band))
            assets[asset] = {"href": f"{self.base}/{name}/{asset}.tif", "type": "image/tiff"}
        facts = {"datetime": f"{date}T10:56:21.026Z", "platform": "sentinel-2a", "grid:code": "MGRS-31TCJ"}
        box = bbox()
        west, south, east, north = box
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        item = {
            "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "sentinel-2-l2a", "bbox": box,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": facts | {"s2:processing_baseline": "02.08"} | properties, "assets": assets, "links": [],
        }  # fmt: skip
        self.items.append(item)
        return item


@contextmanager
def service(root: Path):
    """A running service, whose files lie in `root`."""
    server = Service(root)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
