export interface Sorted {
  readonly id: string
  readonly isDown: boolean
}

type Value = string | number | null

/** A copy in order. What is not known comes last, whichever way round. */
export function sortRows<Row>(rows: readonly Row[], by: (row: Row) => Value, isDown: boolean): Row[] {
  const keyed = rows.map((row) => ({ row, value: by(row) }))
  keyed.sort((one, other) => {
    if (one.value === null || other.value === null) {
      return Number(one.value === null) - Number(other.value === null)
    }
    const order = compare(one.value, other.value)
    return isDown ? -order : order
  })
  return keyed.map(({ row }) => row)
}

function compare(one: string | number, other: string | number): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
