import { html, type Html } from './html.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly heading: string
  readonly cell: (row: Row) => string | Html
  /** Numbers are aligned to the right; names and wide text wrap. */
  readonly kind?: 'number' | 'name' | 'wide'
}

/**
 * Renders a table under a heading, or `empty` if there are no rows. On a narrow screen the table scrolls on its own, by
 * keyboard too.
 *
 * @param limit - the maximum of rows; a line below gives the number of further ones
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
