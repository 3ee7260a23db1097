"""The page's style: what the reader's browser prefers, dark or light; readable on a phone and on paper."""

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--back:#fff;--well:#f4f6f8;--line:#d0d7de;--link:#0757b4}
@media (prefers-color-scheme:dark){
:root{--ink:#e6e9ed;--dim:#9aa4af;--back:#14171b;--well:#1e2329;--line:#363d46;--link:#7ab8ff}}
*{box-sizing:border-box}
body{margin:0;display:grid;grid-template-columns:14rem minmax(0,1fr);font:16px/1.5 system-ui,sans-serif;
color:var(--ink);background:var(--back)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;
background:var(--well);border-right:1px solid var(--line)}
nav ul{list-style:none;margin:0;padding:0}nav li{padding:.15rem 0}nav small{color:var(--dim)}
main{padding:1rem 2rem 4rem;max-width:70rem}
a{color:var(--link)}h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
h4{margin:1rem 0 .3rem}
details{border:1px solid var(--line);border-radius:6px;margin:.4rem 0;padding:0 .8rem}
details[open]{padding-bottom:.8rem}
summary{cursor:pointer;padding:.45rem 0;overflow-wrap:anywhere}
summary:focus-visible,a:focus-visible{outline:2px solid var(--link)}
summary span:last-child{color:var(--dim)}
.method{display:inline-block;min-width:4.2rem;font-weight:700;font-size:.8rem}
.get{color:#0a7d33}.post{color:#0757b4}.put,.patch{color:#9a5b00}.delete{color:#c0262d}
@media (prefers-color-scheme:dark){
.get{color:#5fd38a}.post{color:#7ab8ff}.put,.patch{color:#f0b35c}.delete{color:#ff8a8a}}
code{font:.9em ui-monospace,monospace}
pre{background:var(--well);border:1px solid var(--line);border-radius:6px;padding:.7rem;overflow:auto;max-height:32rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;
padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}
dt{float:left;min-width:6rem}dd{margin-left:6rem}
@media (max-width:50rem){body{display:block}main{padding:1rem}
nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}
nav ul{display:flex;flex-wrap:wrap;gap:0 1rem}
summary span:last-child{display:block}table{display:block;overflow-x:auto}}
@media print{nav{display:none}body{display:block}}
"""
