"""The style of reports: light and dark, wide and narrow, on a screen and on paper."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2128; --soft: #66707b; --line: #d5dae0; --card: #f5f7f9;
  --bar: #3b6ea5; --good: #1a7f4b; --bad: #c0392b;
  --good-fill: 26 127 75; --bad-fill: 192 57 43; --bar-fill: 59 110 165;
}
@media (prefers-color-scheme: dark) { :root {
  --paper: #14181d; --ink: #e4e8ec; --soft: #98a2ad; --line: #343c45; --card: #1d232a;
  --bar: #7fb0e0; --good: #5cc98d; --bad: #f0857a;
  --good-fill: 62 180 120; --bad-fill: 225 95 85; --bar-fill: 127 176 224;
} }
* { box-sizing: border-box; }
body {
  font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 74rem; margin: 0 auto; padding: 1.5rem 1rem 4rem;
}
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
p { margin: .3rem 0; } p.note { color: var(--soft); max-width: 46rem; }
table { border-collapse: collapse; margin: .5rem 0; }
td, th { padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: middle; }
th { border-bottom: 1px solid var(--line); font-weight: 600; vertical-align: bottom; }
tr + tr td { border-top: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: 12px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.tokens, .answer { white-space: pre-wrap; overflow-wrap: anywhere; } .tokens { line-height: 1.9; }
.tokens span { border-radius: 3px; padding: .1em 0; }
.answer { border-left: 3px solid var(--line); padding-left: .8rem; }
svg.map { max-width: none; } svg.map text { font: 11px ui-monospace, monospace; }
section { border-bottom: 1px solid var(--line); padding-bottom: 1rem; }
details { margin: .7rem 0; } summary { cursor: pointer; font-weight: 600; }
svg { display: block; max-width: 100%; height: auto; } td svg, .key svg { max-width: none; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
svg .small { font-size: 10px; fill: var(--soft); }
svg rect, svg .dot { fill: var(--bar); }
svg .band { fill: var(--bar); opacity: .35; } svg .empty { fill: var(--line); }
svg .axis { stroke: var(--line); } svg .before { stroke: var(--ink); stroke-width: 2; }
svg .chance { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 2 2; }
svg .good { fill: var(--good); } svg .bad { fill: var(--bad); } svg .second { fill: var(--soft); }
svg .paper { fill: var(--card); }
svg .trial { fill: none; stroke: var(--bar); stroke-width: 1.5; }
svg .trial-0 { opacity: .18; } svg .trial-1 { opacity: .35; } svg .trial-2 { opacity: .6; }
svg .trial-none { stroke: var(--soft); stroke-dasharray: 3 3; opacity: .6; }
svg .best { stroke: var(--good); stroke-width: 3; }
svg .sofar { fill: none; stroke: var(--soft); stroke-width: 1.5; }
svg .failed { fill: none; stroke: var(--bad); stroke-width: 1.5; }
svg .mark { font-size: 11px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.drawn-wide svg { max-width: none; }
svg .gap { fill: var(--bad); opacity: .3; }
.verdict {
  border-left: 6px solid var(--soft); background: var(--card); padding: .9rem 1.2rem;
  border-radius: 4px; margin: 0 0 1rem;
}
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
.verdict strong { display: block; font-size: 1.5rem; line-height: 1.25; }
.verdict.good strong { color: var(--good); } .verdict.bad strong { color: var(--bad); }
.verdict p { font-size: 1.1rem; } .verdict ul { margin: .5rem 0 0; padding-left: 1.2rem; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; color: var(--soft); font-size: 13px; }
.key span { display: flex; align-items: center; gap: .4rem; }
.side { display: flex; flex-wrap: wrap; gap: 1rem 3rem; align-items: flex-start; }
.good-text { color: var(--good); } .bad-text { color: var(--bad); } .soft { color: var(--soft); }
table.heat { font-variant-numeric: tabular-nums; }
table.heat td { text-align: right; padding: .2rem .5rem; border: 1px solid var(--line); }
table.heat th { padding: .2rem .5rem; border: 0; min-width: 4rem; max-width: 9rem; }
table.heat th { overflow-wrap: break-word; font-size: 13px; }
table.heat th.row { text-align: right; font-weight: 400; }
.row { border: 1px solid var(--line); border-radius: 4px; margin: .8rem 0; break-inside: avoid; }
th.row { border-radius: 0; margin: 0; }
.row > header {
  display: flex; flex-wrap: wrap; gap: 0 1rem; background: var(--card); padding: .3rem .7rem;
  font-size: 13px; color: var(--soft);
}
.row > .parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
.row .part { padding: .4rem .7rem .6rem; min-width: 0; }
.row h4 { margin: 0; font-size: 12px; font-weight: 600; color: var(--soft); }
.said { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
ins, del { text-decoration: none; }
ins { background: rgb(var(--good-fill) / .25); border-radius: 2px; }
del { background: rgb(var(--bad-fill) / .25); border-radius: 2px; }
@media (max-width: 640px) {
  td, th { padding-right: .5rem; }
  table.slim { font-size: 13px; } table.slim .drawn { display: none; }
  table.cards tr:first-child { display: none; }
  table.cards, table.cards tbody, table.cards tr, table.cards td { display: block; }
  table.cards tr { border: 1px solid var(--line); border-radius: 4px; margin: .6rem 0; }
  table.cards tr { padding: .3rem .7rem; }
  table.cards tr + tr td { border-top: 0; }
  table.cards td, table.cards td.number {
    display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0; white-space: normal;
  }
  table.cards td::before { content: attr(data-label); color: var(--soft); flex: none; }
  table.cards td:empty { display: none; }
}
@media print {
  body { max-width: none; font-size: 10px; padding: 0; } code { font-size: 8px; }
  td, th { padding-right: .5rem; } td svg { width: 75px; }
  h2 { font-size: 13px; margin-top: 1.5rem; }
  table.heat th { font-size: 8px; min-width: 0; } table.heat td { padding: .1rem .25rem; }
  .verdict strong { font-size: 16px; } .verdict p { font-size: 12px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  h2, h3 { break-after: avoid; }
  .wide { overflow: visible; }
}
"""
