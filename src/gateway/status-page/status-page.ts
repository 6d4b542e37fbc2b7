import type { ActivityError, KeyActivity, LiveCall, ModelUsage } from '../activity.ts'
import { tokensOf } from '../activity.ts'
import type { GatewaySnapshot } from '../snapshot.ts'
import { formatCost, formatCount, formatDuration, formatTime } from './format.ts'
import { html, type Html } from './html.ts'
import { renderPlot } from './plot.ts'
import { style } from './style.ts'
import { renderTable } from './table.ts'

const minute = 60_000

/** Options of {@link renderStatusPage}. */
export interface StatusPageOptions {
  /** The nonce of the page's style in its Content-Security-Policy. */
  readonly nonce: string
  /** The seconds until the page reloads; `undefined` for never. */
  readonly refresh?: number | undefined
}

/** Renders the operator's page of a gateway as HTML. It has no scripts, and fetches nothing. */
export function renderStatusPage(snapshot: GatewaySnapshot, { nonce, refresh }: StatusPageOptions): string {
  const { active, calls, draining, errors, maxConcurrent, minutes, now, queued, started, usage } = snapshot
  const end = Math.floor(now / minute) * minute
  const plot = (
    title: string,
    format: (value: number) => string,
    amountOf: (each: (typeof minutes)[number]) => number,
  ) => renderPlot({ title, end, format, values: new Map(minutes.map((each) => [each.start, amountOf(each)])) })
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${refresh ? html`<meta http-equiv="refresh" content="${refresh}">` : undefined}
<link rel="icon" href="data:,">
<title>Outcrop gateway: ${draining ? 'draining' : `${active} calls`}</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<header>
<h1>Outcrop gateway</h1>
<p>${draining ? html`<strong class="bad">Draining: send no new calls</strong>` : 'Serving'}</p>
<p class="faint">As of ${formatTime(now)} UTC. ${
    refresh
      ? html`Reloads every ${refresh} s. <a href="?">Stop</a>`
      : html`<a href="?">Reload</a>, or <a href="?refresh=10">every 10 s</a>`
  }</p>
</header>
<main>
<dl>
<div><dt>Calls in progress</dt><dd>${active} of ${maxConcurrent}</dd></div>
<div><dt>Waiting</dt><dd>${queued}</dd></div>
<div><dt>Calls in the last hour</dt><dd>${formatCount(sumOf(minutes, ({ requests }) => requests))}</dd></div>
<div><dt>Errors in the last hour</dt><dd>${formatCount(sumOf(minutes, (each) => each.errors))}</dd></div>
<div><dt>Uptime</dt><dd>${formatDuration(now - started)}</dd></div>
</dl>
<div class="plots">
${plot('Tokens per minute', formatCount, ({ tokens }) => tokens)}
${plot('Mean duration of a call', formatDuration, ({ duration, requests }) => duration / (requests || 1))}
</div>
${callsTable(calls, now)}
${errorsTable(errors)}
${keysTable(snapshot.keys, usage, now)}
${modelsTable(usage)}
</main>
</body>
</html>
`
  return page.text
}

function callsTable(calls: readonly LiveCall[], now: number): Html {
  const longestFirst = calls.toSorted((a, b) => a.started - b.started)
  return renderTable<LiveCall>(
    'Calls in progress',
    longestFirst,
    [
      { heading: 'Key', cell: ({ key }) => key, kind: 'name' },
      { heading: 'Model', cell: ({ model }) => model, kind: 'name' },
      { heading: 'API', cell: ({ api }) => (api === 'anthropic' ? 'Anthropic' : 'Bedrock') },
      { heading: 'Response', cell: ({ stream }) => (stream ? 'streamed' : 'complete') },
      { heading: 'State', cell: ({ answering }) => (answering ? 'responding' : 'waiting for Bedrock') },
      { heading: 'Duration', cell: ({ started }) => formatDuration(now - started), kind: 'number' },
    ],
    { empty: 'None.', limit: 50 },
  )
}

function errorsTable(errors: readonly ActivityError[]): Html {
  return renderTable<ActivityError>(
    'Latest errors',
    errors,
    [
      { heading: 'Time (UTC)', cell: ({ time }) => formatTime(time) },
      { heading: 'Key', cell: ({ key }) => key ?? 'none' },
      { heading: 'Model', cell: ({ model, route }) => model ?? route, kind: 'name' },
      { heading: 'Error', cell: ({ status, type }) => html`<span class="bad">${status}</span> ${type}` },
      {
        heading: 'Message and hint',
        cell: ({ message, hint }) =>
          html`${message}${hint === undefined ? undefined : html`<br><strong>${hint}</strong>`}`,
        kind: 'wide',
      },
    ],
    { empty: 'None since the start.' },
  )
}

function keysTable(keys: readonly KeyActivity[], usage: readonly ModelUsage[], now: number): Html {
  const byKey = groupBy(usage, ({ key }) => key)
  const of = (key: string, amountOf: (each: ModelUsage) => number | undefined): number =>
    sumOf(byKey.get(key) ?? [], amountOf)
  return renderTable<KeyActivity>(
    'Keys',
    keys,
    [
      { heading: 'Key', cell: ({ key }) => key, kind: 'name' },
      { heading: 'Calls', cell: ({ key }) => formatCount(of(key, (each) => each.requests)), kind: 'number' },
      { heading: 'Errors', cell: ({ key }) => formatCount(of(key, (each) => each.errors)), kind: 'number' },
      { heading: 'Tokens', cell: ({ key }) => formatCount(of(key, (each) => tokensOf(each.usage))), kind: 'number' },
      {
        heading: 'Spent today',
        cell: ({ spentToday, limits }) =>
          limits?.spendPerDay === undefined
            ? formatCost(spentToday)
            : `${formatCost(spentToday)} of ${formatCost(limits.spendPerDay)}`,
        kind: 'number',
      },
      { heading: 'Last call', cell: ({ lastSeen }) => `${formatDuration(now - lastSeen)} ago`, kind: 'number' },
    ],
    { empty: 'No calls since the start.' },
  )
}

function modelsTable(usage: readonly ModelUsage[]): Html {
  return renderTable<[model: string, usage: readonly ModelUsage[]]>(
    'Models',
    [...groupBy(usage, ({ model }) => model)],
    [
      { heading: 'Model', cell: ([model]) => model, kind: 'name' },
      { heading: 'Calls', cell: ([, of]) => formatCount(sumOf(of, ({ requests }) => requests)), kind: 'number' },
      { heading: 'Input', cell: ([, of]) => formatCount(sumOf(of, (each) => each.usage.inputTokens)), kind: 'number' },
      {
        heading: 'Output',
        cell: ([, of]) => formatCount(sumOf(of, (each) => each.usage.outputTokens)),
        kind: 'number',
      },
      {
        heading: 'Cache reads',
        cell: ([, of]) => formatCount(sumOf(of, (each) => each.usage.cacheReadInputTokens)),
        kind: 'number',
      },
      {
        heading: 'Cache writes',
        cell: ([, of]) => formatCount(sumOf(of, (each) => each.usage.cacheWriteInputTokens)),
        kind: 'number',
      },
      {
        heading: 'Cost',
        cell: ([, of]) =>
          of.some(({ cost }) => cost !== undefined) ? formatCost(sumOf(of, ({ cost }) => cost)) : 'no price',
        kind: 'number',
      },
    ],
    { empty: 'No calls since the start.' },
  )
}

function sumOf<Item>(items: readonly Item[], amountOf: (item: Item) => number | undefined): number {
  return items.reduce((sum, item) => sum + (amountOf(item) ?? 0), 0)
}

function groupBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(nameOf(item))
    if (group) group.push(item)
    else groups.set(nameOf(item), [item])
  }
  return groups
}
