import { html, type Html } from './html.ts'

/** The style sheet of the status page. Uses the system's colors and fonts, so that nothing is fetched. */
export const style: Html = html`
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fdfdfc; --faint: #5d5f66; --line: #d9d9de; --bar: #2f6f9f; --bad: #a8261c }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ea; --paper: #17181b; --faint: #a3a5ad; --line: #3a3c42; --bar: #6fb1e0; --bad: #ff8f85 }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem; margin: 0 }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline }
header p, dl { margin: 0 }
a { color: inherit }
:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 1rem; margin-top: 1rem }
dt, small, .faint { color: var(--faint); font-size: .875rem }
dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.5rem; margin-top: 1.5rem }
figure { margin: 0 }
figcaption small { display: block }
svg { display: block; width: 100%; height: 7rem; margin-top: .25rem }
svg rect { fill: var(--bar) }
svg line { stroke: var(--line); stroke-width: 2 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); white-space: nowrap }
th { font-weight: 600; color: var(--faint); font-size: .875rem }
.number { text-align: right }
td.wide, td.name { white-space: normal; overflow-wrap: break-word }
.wide { min-width: 18rem }
.name { max-width: 24rem }
.bad { color: var(--bad) }
`
