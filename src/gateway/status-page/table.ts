import { html, type Html } from './html.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly heading: string
  readonly cell: (row: Row) => string | Html
  /** Numbers stand on the right; names and sentences break into lines. */
  readonly kind?: 'number' | 'name' | 'wide'
}

/**
 * Writes a table under a heading; `empty` in its place where there are no rows. On a narrow screen the table scrolls by
 * itself, also by keyboard.
 *
 * @param limit - how many rows are shown at most; how many more there are is told
 */
export function renderTable<Row>(
  title: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { empty, limit = 100 }: { readonly empty: string; readonly limit?: number },
): Html {
  const id = title.toLowerCase().replace(/\W+/g, '-')
  const heading = html`<h2 id="${id}">${title}</h2>`
  if (rows.length === 0)
    return html`<section>${heading}<p>${empty}</p></section>
`
  return html`<section>${heading}
<div class="scroll" role="region" aria-labelledby="${id}" tabindex="0"><table>
<thead><tr>${columns.map((column) => html`<th scope="col" class="${column.kind}">${column.heading}</th>`)}</tr></thead>
<tbody>${rows.slice(0, limit).map(
    (row) => html`
<tr>${columns.map((column) => html`<td class="${column.kind}">${column.cell(row)}</td>`)}</tr>`,
  )}
</tbody></table></div>${rows.length > limit ? html`<p>And ${rows.length - limit} more.</p>` : undefined}</section>
`
}
