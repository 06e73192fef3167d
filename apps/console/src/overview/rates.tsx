import { Card } from '../components/basics.tsx'
import { Chart } from '../components/chart.tsx'
import { usePolled } from '../http/poll.ts'
import { type Rates, readRates } from '../http/rates.ts'
import { rateText } from '../text/words.ts'

const everyMs = 10_000

/** Accepted and stored events a second, over the last hour; of one topic, if it is said. */
export function RatesCard({ topic }: { topic?: string }) {
  const { data } = usePolled(`rates ${topic ?? ''}`, (signal) => readRates(topic, signal), { everyMs })
  return (
    <Card title="Events a second" aside={data ? asideOf(data) : undefined}>
      {data === undefined || data.times.length < 2 ? (
        <p class="lead">{data === undefined ? 'Unknown now' : 'The first rates come within half a minute'}</p>
      ) : (
        <Chart
          title="Events accepted and stored a second"
          times={data.times}
          series={data.series}
          words={rateText}
        />
      )}
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
