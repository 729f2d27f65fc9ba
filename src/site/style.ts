/** What the site's pages have beside the reports' style sheet. */
export const siteStyle = `
.crumb{font-size:14px;margin:0}.crumb a{text-decoration:none;color:var(--soft)}.crumb a:hover{text-decoration:underline}
ul.models{list-style:none;margin:24px 0 0;padding:0;border-top:1px solid var(--line)}
ul.models>li{display:grid;grid-template-columns:minmax(0,220px) minmax(0,1fr);gap:4px 24px;padding:12px 0;border-bottom:1px solid var(--line)}
ul.models .name{font-weight:560;padding-top:2px;overflow-wrap:anywhere}
ul.models .none{color:var(--soft);margin:0}
.env{display:grid;grid-template-columns:minmax(0,1fr) 48px 96px 116px 132px;gap:2px 16px;align-items:baseline;padding:2px 0}
.env .where{color:var(--soft);overflow-wrap:anywhere}.env .version{font-weight:620}.env .since{color:var(--soft);font-size:14px;white-space:nowrap}
.mark{font-size:14px;white-space:nowrap}
.env .badge,.state .badge{font-size:12px;padding:5px 9px;justify-self:start}
.state{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:16px;margin:28px 0 0;padding:0;list-style:none}
.state>li{border:1px solid var(--line);border-radius:12px;padding:18px 20px;min-width:0;overflow-wrap:anywhere}
.state .where{color:var(--soft);font-size:14px;margin:0}.state .version{font-size:26px;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin:2px 0 0}
.state .badges{display:flex;flex-wrap:wrap;align-items:baseline;gap:8px 14px;margin:12px 0 0}.state .since{font-size:14px;color:var(--soft);margin:10px 0 0}
dl.figures dd{font-size:22px;line-height:1.35;font-weight:620;letter-spacing:-.01em}
dl.figures dd .under{font-weight:400;letter-spacing:0;white-space:normal;line-height:1.45;margin-top:2px;font-size:13px}
dl.figures dd.missing{color:var(--mute)}
.key{display:flex;flex-wrap:wrap;gap:4px 20px;margin:12px 0 0;padding:0;list-style:none;color:var(--soft);font-size:14px}
.key svg{width:18px;height:18px;vertical-align:-4px;margin-right:6px}
dl.terms{margin:16px 0 0}dl.terms dt{font-weight:560;margin-top:14px}dl.terms dd{margin:2px 0 0;color:var(--soft);max-width:68ch}
@media(max-width:640px){ul.models>li{grid-template-columns:minmax(0,1fr);gap:2px}.env{display:flex;flex-wrap:wrap;gap:3px 10px;padding:5px 0}.env .where{flex:0 0 100%}}
@media print{.state>li,ul.models>li{break-inside:avoid}}`;
