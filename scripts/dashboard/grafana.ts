import { type Panel, type Query, rows } from './panels.ts'

/** Returns a query in PromQL. */
export function promQl(query: Query): string {
  switch (query.kind) {
    case 'rate': {
      const { metric, by, where, times } = query
      const selector = where ? `${metric}{${where[0]}${where[1]}"${where[2]}"}` : metric
      return `sum${by ? ` by (${by}) ` : ''}(rate(${selector}[$__rate_interval]))${times ? ` * ${times}` : ''}`
    }
    case 'quantile':
      return `histogram_quantile(${query.quantile}, sum by (le) (rate(${query.metric}_bucket[$__rate_interval])))`
    case 'gauge':
      return `sum(${query.metric})`
    case 'ratio':
      return `${promQl(query.part)} / ${promQl(query.of)}`
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in
const datasource = { type: 'prometheus', uid: '${datasource}' }

/** Returns the dashboard in the form that Grafana imports. */
export function grafanaDashboard(): object {
  let id = 0
  let y = 0
  const panels = rows.flatMap(({ title, panels }) => {
    const row = { id: ++id, type: 'row', title, collapsed: false, gridPos: { x: 0, y: y++, w: 24, h: 1 }, panels: [] }
    const placed = panels.map((panel, i) =>
      timeSeries(panel, ++id, { x: (i % 3) * 8, y: y + Math.floor(i / 3) * 7, w: 8, h: 7 }),
    )
    y += Math.ceil(panels.length / 3) * 7
    return [row, ...placed]
  })
  return {
    title: 'Claude on Amazon Bedrock (Outcrop)',
    uid: 'outcrop-bedrock',
    tags: ['outcrop', 'bedrock', 'gen_ai'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} }],
    },
    panels,
  }
}

function timeSeries({ title, unit, queries }: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: 'timeseries',
    title,
    gridPos,
    datasource,
    fieldConfig: { defaults: { unit, min: 0, custom: { lineWidth: 2, fillOpacity: 10 } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: queries.map(({ legend, query }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      expr: promQl(query),
      legendFormat: legend,
    })),
  }
}
