import { useEffect, useMemo, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { theme } from '../style/theme.ts'
import { lonely } from '../text/lonely.ts'
import { axisTimes, clockText, shortText } from '../text/words.ts'

interface Series {
  readonly label: string
  /** null is not known: the line has a gap there. */
  readonly values: readonly (number | null)[]
}

interface ChartProps {
  readonly title: string
  /** Seconds since 1970, one for each value. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  /** Of a value, such as `12/s`. */
  readonly words: (value: number | null) => string
  readonly heightPx?: number
}

const rowsMax = 12

/** Lines over time. Whoever cannot see them gets a table of some of the values. */
export function Chart({ title, times, series, words, heightPx = 170 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const labels = series.map(({ label }) => label).join('\n')
  const data = useMemo(
    () => [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData,
    [times, series],
  )
  // Data come by setData, and a theme is read while drawing
  useEffect(() => {
    const element = place.current
    if (element === null) return
    plot.current = new uPlot(optionsOf(element, labels.split('\n'), heightPx), data, element)
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: heightPx }),
    )
    resized.observe(element)
    return () => {
      resized.disconnect()
      plot.current?.destroy()
    }
  }, [labels, heightPx, theme.value])
  useEffect(() => plot.current?.setData(data), [data])

  return (
    <figure class="chart" aria-label={title}>
      <div class="legend" aria-hidden="true">
        {series.map(({ label, values }, at) => (
          <span key={label} class={`legend-entry series-${at + 1}`}>
            {label} <strong>{words(values.at(-1) ?? null)}</strong>
          </span>
        ))}
      </div>
      <div ref={place} class="chart-lines" aria-hidden="true" />
      <ChartTable title={title} times={times} series={series} words={words} />
    </figure>
  )
}

function ChartTable({ title, times, series, words }: ChartProps) {
  const step = Math.max(1, Math.ceil(times.length / rowsMax))
  const rows = [...times.entries()].filter(([at]) => (times.length - 1 - at) % step === 0)
  const nowMs = Date.now()
  return (
    <table class="unseen">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          {series.map(({ label }) => (
            <th key={label} scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([at, time]) => (
          <tr key={time}>
            <th scope="row">{clockText(time * 1_000, nowMs)}</th>
            {series.map(({ label, values }) => (
              <td key={label}>{words(values[at] ?? null)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function optionsOf(element: HTMLElement, labels: readonly string[], heightPx: number): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(element).getPropertyValue(name)
  const axis = {
    stroke: colour('--ink-soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  }
  return {
    width: element.clientWidth || 300,
    height: heightPx,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 70, values: (_plot, marks) => axisTimes(marks) },
      { ...axis, size: 44, space: 34, values: (_plot, values) => values.map(shortText) },
    ],
    series: [
      {},
      ...labels.map((label, at) => ({
        label,
        stroke: colour(`--series-${at + 1}`),
        width: 1.75,
        points: {
          show: false,
          filter: (plot: uPlot, series: number) => lonely([...(plot.data[series] ?? [])]),
        },
        ...(at === 0 ? { fill: colour('--series-1-soft') } : {}),
      })),
    ],
  }
}
