import { Card } from '../components/basics.tsx'
import { Name } from '../components/name.tsx'
import { ProblemBanner } from '../components/problem-banner.tsx'
import { call, pathOf } from '../http/call.ts'
import { usePolled } from '../http/poll.ts'
import { linkTo } from '../routing/url.ts'
import { eventsOf, type LogEvent, placeOf } from '../text/slices.ts'
import { countText } from '../text/words.ts'

const each = 3

interface NeighboursProps {
  readonly of: LogEvent
}

/** What the source of an event sent before and after it, in the order of the log. */
export function Neighbours({ of }: NeighboursProps) {
  const { topic, source, seq, event_id: id } = of
  const { data, problem } = usePolled(
    `around ${topic} ${seq}`,
    async (signal) => {
      const read = async (bound: 'before' | 'after') =>
        eventsOf(
          (await call(pathOf(['events'], { topic, source, [bound]: placeOf(of), limit: each }), { signal }))
            .text,
        )
      const [before, after] = await Promise.all([read('before'), read('after')])
      return { before: before.reverse(), after }
    },
    { everyMs: null },
  )
  return (
    <Card title="Before and after, from this source">
      <ProblemBanner problem={problem} title="They could not be read" />
      <ol class="neighbours">
        {data?.before.map((event) => (
          <Neighbour key={event.seq} event={event} />
        ))}
        <li aria-current="true">
          <span class="event-seq">{countText(seq)}</span> <Name of={id} />
        </li>
        {data?.after.map((event) => (
          <Neighbour key={event.seq} event={event} />
        ))}
      </ol>
    </Card>
  )
}

const Neighbour = ({ event: { topic, event_id: id, seq } }: { event: LogEvent }) => (
  <li>
    <span class="event-seq">{countText(seq)}</span>{' '}
    <a href={linkTo(['events', topic, id])}>
      <Name of={id} />
    </a>
  </li>
)
