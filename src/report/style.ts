/** Colours for drawings and pages, light and dark; also inside of each SVG, so that it stands alone. */
export const palette = `
:root{--ink:#1d2129;--soft:#5b6472;--line:#e2e5ea;--paper:#fff;--wash:#f6f7f9;--pass:#1a7f4b;--fail:#c0352b;--open:#9a6700;--mute:#646d7b;--two:#2f6fde}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#a0a9b8;--line:#2c323c;--paper:#14171c;--wash:#1b1f26;--pass:#4cc38a;--fail:#ff7b72;--open:#e3b341;--mute:#98a2b1;--two:#6ea8fe}}`;

/** The page's style sheet. */
export const css = `${palette}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:860px;margin:0 auto;padding:64px 24px 96px}
h1{overflow-wrap:anywhere;font-size:30px;line-height:1.25;font-weight:650;letter-spacing:-.015em;margin:12px 0 0;text-wrap:balance}
h2{font-size:20px;line-height:1.35;font-weight:620;letter-spacing:-.01em;margin:0;display:flex;flex-wrap:wrap;align-items:baseline;gap:8px 12px;overflow-wrap:anywhere}
p{margin:12px 0 0;max-width:68ch;overflow-wrap:anywhere}
.lead{font-size:18px;line-height:1.55;margin-top:16px}
.eyebrow{color:var(--soft);font-size:14px;margin:0}
section{margin-top:64px}
.badge{display:inline-block;font-size:13px;line-height:1;font-weight:620;padding:6px 10px;border-radius:999px;border:1px solid currentColor;white-space:nowrap;vertical-align:middle}
.pass{color:var(--pass)}.fail,.error{color:var(--fail)}.inconclusive,.warn{color:var(--open)}.neutral{color:var(--mute)}
dl.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:20px 32px;margin:36px 0 0;padding:20px 0 0;border-top:1px solid var(--line)}
dl.facts dt{color:var(--soft);font-size:13px}
dl.facts dd{margin:2px 0 0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin-top:24px}
table{border-collapse:collapse;width:100%;font-size:14px;line-height:1.45}
th{font-weight:560;color:var(--soft);font-size:13px;border-bottom:1px solid var(--line)}
th,td{padding:9px 16px 9px 0;text-align:left;vertical-align:top}
td .badge{margin:-3px 0;padding:5px 9px;font-size:12px}.note{color:var(--mute);font-size:12px;white-space:nowrap}
td{border-bottom:1px solid var(--line);overflow-wrap:break-word}td:first-child{min-width:112px;overflow-wrap:anywhere}
tbody tr:last-child td{border-bottom:0}
.under{display:block;color:var(--mute);font-size:12px;white-space:nowrap}
.next{margin-top:24px;padding:16px 20px;background:var(--wash);border-radius:10px}.next p{margin:0}.next p+p{margin-top:8px}.next code{overflow-wrap:anywhere}.next .note{display:inline-block;min-width:96px}
th:last-child,td:last-child{padding-right:0}
.number{text-align:right;white-space:nowrap}
ul.checks{list-style:none;margin:20px 0 0;padding:0}
ul.checks li{display:grid;grid-template-columns:112px 1fr;gap:4px 16px;padding:12px 0;border-bottom:1px solid var(--line);align-items:baseline}
ul.checks li:last-child{border-bottom:0}
ul.checks .name{font-weight:560}
ul.checks .why{grid-column:2;color:var(--soft);font-size:15px;margin:0}
ul.steps{list-style:none;margin:20px 0 0;padding:0}
ul.steps li{display:grid;grid-template-columns:104px 1fr 64px;gap:4px 16px;padding:10px 0;border-bottom:1px solid var(--line);font-size:15px;align-items:baseline}
ul.steps li:last-child{border-bottom:0}
ul.steps .name{font-weight:560}ul.steps .why{color:var(--soft);overflow-wrap:anywhere}ul.steps .seconds{color:var(--mute);text-align:right;font-size:13px}
ul.reasons{margin:16px 0 0;padding-left:20px;color:var(--soft)}ul.reasons li{margin:6px 0;overflow-wrap:anywhere}
.whole{white-space:nowrap}
ol.moved{list-style:none;margin:28px 0 0;padding:0;border-top:1px solid var(--line)}
ol.moved li{display:grid;grid-template-columns:minmax(0,220px) minmax(0,1fr) auto;gap:2px 20px;padding:10px 0;border-bottom:1px solid var(--line);align-items:baseline;overflow-wrap:anywhere}
ol.moved a{font-weight:560}ol.moved .since{color:var(--soft);font-size:14px;white-space:nowrap}
ol.contents{margin:36px 0 0;padding:20px 0 0 20px;border-top:1px solid var(--line);color:var(--soft)}
ol.contents li{padding:4px 0}ol.contents .badge{margin-left:10px;padding:4px 8px;font-size:12px}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--two);outline-offset:3px;border-radius:3px}
a{color:inherit;text-decoration-color:var(--mute);text-underline-offset:3px}
section p{white-space:pre-line}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--wash);padding:16px;border-radius:8px;margin:14px 0 0}
figure{margin:28px 0 0}
figure svg{display:block;width:100%;height:auto}
figcaption{color:var(--soft);font-size:14px;margin-top:10px;max-width:68ch}
.narrow{display:none}
details{margin-top:20px;border-top:1px solid var(--line);padding-top:14px}
summary{cursor:pointer;color:var(--soft);font-size:15px}
details[open] summary{margin-bottom:4px}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
footer{margin-top:72px;color:var(--soft);font-size:14px;border-top:1px solid var(--line);padding-top:16px}
@media(max-width:640px){main{padding:32px 18px 64px}.under{white-space:normal;min-width:120px}.next .note{display:block}h1{font-size:25px}.lead{font-size:17px}section{margin-top:48px}.plain{overflow-x:auto}.plain svg{min-width:540px}.wide{display:none}.narrow{display:block}ul.checks li{grid-template-columns:1fr}ul.checks .why{grid-column:1}ul.steps li{grid-template-columns:1fr 64px}ul.steps .why{grid-row:2;grid-column:1/3}dl.facts{grid-template-columns:1fr 1fr;gap:16px 20px}ol.moved li{grid-template-columns:minmax(0,1fr)}}
@media print{main{max-width:none;padding:0}section{margin-top:32px}h2,summary{break-after:avoid}figure,tr,li{break-inside:avoid}details::details-content{content-visibility:visible;block-size:auto}.scroll{overflow:visible}}`;
