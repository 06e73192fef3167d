import type { ComponentChildren } from 'preact'
import { goTo, route, withQuery } from '../routing/route.ts'
import { type Sorted, sortRows } from '../text/sort.ts'
import { moveByArrows } from './arrows.ts'

export interface Column<Row> {
  readonly id: string
  readonly label: string
  readonly cell: (row: Row) => ComponentChildren
  /** What it is sorted by; without it the column cannot be. null comes last. */
  readonly by?: (row: Row) => string | number | null
  /** Numbers stand at the end. */
  readonly align?: 'end'
  /** Left out on narrow screens. */
  readonly wide?: boolean
}

interface TableProps<Row> {
  /** Read out, and not shown. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Such as `-rate`; the URL's `sort` counts more. */
  readonly sort?: string
  /** How many rows are shown, of those that are sorted. */
  readonly max?: number
  /** Whether only the last column may take more than a line. */
  readonly lastWraps?: boolean
}

/** A table that is sorted by its heads, which the URL keeps. Arrow keys go from row to row. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  sort = '',
  max = 1_000,
  lastWraps = false,
}: TableProps<Row>) {
  const sorted = sortOf(route.value.query.get('sort') ?? sort)
  const column = columns.find(({ id }) => id === sorted.id)
  const shown = (column?.by ? sortRows(rows, column.by, sorted.isDown) : rows).slice(0, max)
  return (
    // The table scrolls by itself where it is wider than the screen, so it has to take the focus.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it with the arrow keys
    <section class={lastWraps ? 'table-scroll last-wraps' : 'table-scroll'} tabIndex={0} aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map((each) => (
              <Head key={each.id} column={each} sorted={sorted} />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={moveByArrows}>
          {shown.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ id, cell, align, wide }) => (
                <td key={id} class={classOf(align, wide)}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Head<Row>({ column, sorted }: { column: Column<Row>; sorted: Sorted }) {
  const { id, label, by, align, wide } = column
  if (by === undefined) {
    return (
      <th scope="col" class={classOf(align, wide)}>
        {label}
      </th>
    )
  }
  const isSorted = sorted.id === id
  const direction = sorted.isDown ? 'descending' : 'ascending'
  // Numbers are looked at from the largest on, names from A on.
  const next = isSorted ? !sorted.isDown : align === 'end'
  return (
    <th scope="col" class={classOf(align, wide)} aria-sort={isSorted ? direction : 'none'}>
      <button
        type="button"
        class="sort"
        onClick={() => goTo(withQuery({ sort: `${next ? '-' : ''}${id}` }), { replace: true })}
      >
        {label}
        <span class="sort-mark" aria-hidden="true">
          {isSorted ? (sorted.isDown ? '↓' : '↑') : ''}
        </span>
      </button>
    </th>
  )
}

const sortOf = (text: string): Sorted => ({ id: text.replace(/^-/, ''), isDown: text.startsWith('-') })

const classOf = (align: 'end' | undefined, wide: boolean | undefined): string | undefined =>
  [align === 'end' && 'end', wide && 'wide'].filter(Boolean).join(' ') || undefined
