import { useMemo } from 'preact/hooks'
import { Card } from '../components/basics.tsx'
import { Chart } from '../components/chart.tsx'
import { awaySince, currentOf } from '../http/current.ts'
import { usePolled } from '../http/poll.ts'
import { type Rates, readRates, upToNow } from '../http/rates.ts'
import { rateText } from '../text/words.ts'

/** How often a gateway has a value more. */
const everyMs = 10_000

interface Wanted {
  readonly topic?: string
  /** Otherwise nothing is asked for: those of all topics are not for every key. */
  readonly isWanted?: boolean
}

/** The rates of the last hour; of one topic, if it is said. */
export function useRates({ topic, isWanted = true }: Wanted): Rates | undefined {
  const polled = usePolled(
    `rates ${topic ?? ''} ${isWanted}`,
    async (signal) => (isWanted ? await readRates(topic, signal) : undefined),
    { everyMs: isWanted ? everyMs : null },
  )
  const data = currentOf(polled, 3 * everyMs)
  const away = awaySince.value
  return useMemo(() => data && upToNow(data, Date.now(), away), [data, away])
}

/** Accepted and stored events a second. */
export function RatesCard({ data, firstWithin }: { data: Rates | undefined; firstWithin: string }) {
  return (
    <Card title="Events a second" aside={data ? asideOf(data) : undefined}>
      <div class="chart-place">
        {data === undefined || data.times.length < 2 ? (
          <p class="lead">{data === undefined ? 'Unknown now' : `The first come within ${firstWithin}`}</p>
        ) : (
          <Chart
            title="Events accepted and stored a second"
            times={data.times}
            series={data.series}
            words={rateText}
          />
        )}
      </div>
    </Card>
  )
}

function asideOf({ times }: Rates): string {
  const first = times[0]
  const last = times.at(-1)
  if (first === undefined || last === undefined) return ''
  const minutes = Math.round((last - first) / 60)
  return minutes >= 59 ? 'last hour' : `last ${Math.max(1, minutes)} min, as this gateway knows them`
}
