"""Design tokens → palette, style sheet, fonts and icons. Widgets ask here, and write no colour or length.

``apply(app, scheme, scale)`` sets the whole look; ``color("ok")``, ``space("m")``, ``size("row")``,
``type_size("body")``, ``font("lead", bold=True)`` and ``icon("send")`` give single values of the look in use.
After a change every widget gets Qt's ``PaletteChange``: painted widgets only need to ask again.
"""

from ui.theme.icons import icon, pixmap, set_icon
from ui.theme.look import apply, color, current, font, radius, size, space, type_size
from ui.theme.tokens import Tokens, load

__all__ = [
    "Tokens",
    "apply",
    "color",
    "current",
    "font",
    "icon",
    "load",
    "pixmap",
    "radius",
    "set_icon",
    "size",
    "space",
    "type_size",
]
