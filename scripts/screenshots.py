"""``make screenshots``: picture every screen, light and dark, into docs/screenshots/, and write the page that shows them.

Usage: scripts/screenshots.py [NAME …]. It runs the simulator and Masthead with the demo's organisation; needs Chromium
(Debian's package chromium).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from PIL import Image  # noqa: E402 - needs the path above
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from support.browsing import Look, browse, launch  # noqa: E402
from support.gallery import Screen, furnish_gallery  # noqa: E402
from support.sites import Site, open_site  # noqa: E402

FOLDER = HERE.parent / "docs" / "screenshots"
LIGHT, DARK, PHONE = Look("light", 1440), Look("dark", 1440), Look("dark", 390)
#: Pictured at a phone's width, too.
ON_A_PHONE = ("application-edit", "pager", "page", "execution", "on-call")
_COLOURS = 128
LOGIN = Screen("login", "/ui/login", "Logging in, where there are users")


def main(names: list[str]) -> int:
    """Picture the named screens, or all; give the exit status."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        launch(playwright) as browser,
    ):
        camera = Camera(browser, Path(folder), names)
        with open_site(_folder(folder, "users"), has_users=True, is_furnished=False) as site:
            camera.picture(site, [LOGIN])
        with open_site(_folder(folder, "all")) as site:
            screens = furnish_gallery(site)
            camera.picture(site, screens)
    (FOLDER / "README.md").write_text(_gallery([LOGIN, *screens]))
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(list(FOLDER.glob('*.png')))} pictures, {total / 1e6:.1f} MB")
    return 0


def _folder(parent: str, name: str) -> Path:
    folder = Path(parent, name)
    folder.mkdir()
    return folder


class Camera:
    """Takes the pictures."""

    def __init__(self, browser: Browser, folder: Path, names: list[str]) -> None:
        self._browser, self._folder, self._names = browser, folder, names

    def picture(self, site: Site, screens: Iterable[Screen]) -> None:
        """Picture every screen that was asked for, in every look."""
        chosen = [one for one in screens if not self._names or one.name in self._names]
        for kind, look in (("light", LIGHT), ("dark", DARK), ("phone", PHONE)):
            with browse(self._browser, site.url, traffic=self._folder / f"{kind}.har", look=look) as page:
                for screen in chosen:
                    if look is PHONE and screen.name not in ON_A_PHONE:
                        continue
                    page.goto(screen.path)
                    page.wait_for_timeout(400)  # what is fetched behind the page is there
                    path = FOLDER / f"{screen.name}-{kind}.png"
                    _keep(page.screenshot(animations="disabled", caret="hide"), path)
                    print(f"{path.name:40} {path.stat().st_size / 1e3:6.0f} kB", flush=True)


def _keep(picture: bytes, path: Path) -> None:
    """Write a picture with as few colours as a page with text needs: a third of the bytes, and no difference to see."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    few = image.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, "PNG", optimize=True)


def _gallery(screens: Iterable[Screen]) -> str:
    text = [
        "# Screens",
        "",
        "Made by `make screenshots` from the demo's organisation; in the theme in which you read this page.",
        "What the pages do better than Deck's stands in [the pages](../explanation/pages.md).",
        "",
    ]
    for one in screens:
        text += [
            f"## {one.words}",
            "",
            "<picture>",
            f'  <source media="(prefers-color-scheme: dark)" srcset="{one.name}-dark.png">',
            f'  <img src="{one.name}-light.png" alt="{one.words}" width="1440">',
            "</picture>",
            "",
        ]
        if one.name in ON_A_PHONE:
            text += [f'<img src="{one.name}-phone.png" alt="{one.words}, on a phone" width="390">', ""]
    return "\n".join(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
