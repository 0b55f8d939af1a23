// The style of the page: one column, readable on a phone, light or dark like the reader's system.
export const STYLE = `
.side { position: absolute; bottom: 0; padding: 0 .35em; background: #000a; color: #fff; font-size: .75rem; }
.side.left { left: 0; } .side.right { right: 0; }
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5c6670; --line: #d9dde2; --ground: #fff; --panel: #f6f7f9; --accent: #0060a8; --best: #0a6b3d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #a3abb5; --line: #3a4048; --ground: #14171a; --panel: #1d2125; --accent: #6cb6ff; --best: #5fd39a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 88rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
a { color: var(--accent); }
p.about, .notes { color: var(--soft); }
.notes { font-size: .9rem; margin: .5rem 0 0; padding-left: 1.1rem; }
nav { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th { border-bottom: 2px solid var(--line); font-weight: 600; vertical-align: bottom; }
td.right, th.right { text-align: right; }
td strong { color: var(--best); }
tbody tr:hover { background: var(--panel); }
th button { all: unset; cursor: pointer; }
th button::after { content: ' \\2195'; color: var(--soft); font-size: .8em; }
th[aria-sort=ascending] button::after { content: ' \\2191'; color: inherit; }
th[aria-sort=descending] button::after { content: ' \\2193'; color: inherit; }
.plot svg { max-width: 100%; min-width: 42rem; height: auto; }
thead th { white-space: normal; }
td:first-child { white-space: normal; min-width: min(11rem, 34vw); max-width: 18rem; overflow-wrap: break-word; }
.controls { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; align-items: center; background: var(--panel); padding: .6rem .9rem; border-radius: .5rem; margin: .5rem 0 1rem; }
.controls label { display: flex; gap: .5rem; align-items: center; }
select { font: inherit; max-width: 16rem; }
.figure { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); gap: .75rem; }
.figure[hidden], .stack img[hidden], .none[hidden] { display: none; }
figure { margin: 0; }
figcaption { font-size: .9rem; color: var(--soft); }
.stack { position: relative; overflow: hidden; border-radius: .25rem; background: var(--panel); }
.stack img, figure > img { display: block; width: 100%; height: auto; image-rendering: pixelated; }
.stack img + img { position: absolute; inset: 0; clip-path: inset(0 calc(100% - var(--reveal, 50%)) 0 0); }
.stack::after { content: ''; position: absolute; top: 0; bottom: 0; left: var(--reveal, 50%); width: 2px; margin-left: -1px; background: #fff; box-shadow: 0 0 3px #000; }
.none { position: absolute; inset: 0; display: grid; place-items: center; background: #000a; color: #fff; font-size: .9rem; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem .8rem; font-size: .85rem; margin: .25rem 0 .75rem; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .35em; border: 1px solid #8888; vertical-align: -.05em; }
.bar { display: inline-block; width: 9rem; height: .8em; margin: 0 .4em; vertical-align: -.05em; border: 1px solid #8888; }
.rows { position: sticky; top: 0; z-index: 2; background: var(--ground); border-bottom: 1px solid var(--line); padding: .3rem 0; }
.rows[hidden] { display: none; }
.rows .count { color: var(--soft); }
.rows fieldset { border: 0; margin: 0; padding: .4rem 0; }
.rows legend { padding: 0; color: var(--soft); font-size: .9rem; }
.boxes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr)); gap: .15rem .8rem; max-height: 40vh; overflow-y: auto; margin: .3rem 0; }
.boxes label { display: flex; align-items: baseline; gap: .35rem; overflow-wrap: anywhere; }
.rows button { font: inherit; padding: .1rem .7rem; }
[data-of][hidden] { display: none; }
.plot:focus-within, .plot:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.plot [data-row].gone { display: none; }
.plot.lit [data-row]:not(.on) { opacity: .25; }
#about { position: fixed; z-index: 3; max-width: 22rem; padding: .25rem .6rem; border-radius: .3rem; background: var(--ink); color: var(--ground); font-size: .85rem; pointer-events: none; }
#about[hidden] { display: none; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; }
pre { overflow-x: auto; background: var(--panel); padding: .75rem; border-radius: .5rem; font-size: .85rem; }
.bad { color: #c62828; font-weight: 600; }
@media (prefers-color-scheme: dark) { .bad { color: #ff8a80; } }
@media print { .controls, .rows, nav { display: none; } }
`;
