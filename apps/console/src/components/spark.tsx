const width = 88
const height = 20

interface SparkProps {
  /** null is not known: the line has a gap there. */
  readonly values: readonly (number | null)[]
  /** What it shows, in words. */
  readonly label: string
}

/** A line small enough for a row of a table. */
export function Spark({ values, label }: SparkProps) {
  return (
    <svg class="spark" role="img" aria-label={label} viewBox={`0 0 ${width} ${height}`}>
      {linesOf(values).map((points) => (
        <polyline key={points} points={points} />
      ))}
    </svg>
  )
}

/** The points of each run of values that are known. */
function linesOf(values: SparkProps['values']): string[] {
  const max = Math.max(1e-9, ...values.map((value) => value ?? 0))
  const step = width / Math.max(1, values.length - 1)
  const lines: string[][] = [[]]
  for (const [at, value] of values.entries()) {
    const y = height - 1.5 - ((value ?? 0) / max) * (height - 4)
    if (value === null) lines.push([])
    else lines.at(-1)?.push(`${(at * step).toFixed(1)},${y.toFixed(1)}`)
  }
  // A line from a point to itself is a dot
  return lines
    .filter((line) => line.length > 0)
    .map((line) => (line[1] ? line : [...line, ...line]).join(' '))
}
