import type { Stats, TopicFigures } from '@sekali/client'
import type { Letter } from '@sekali/client/operate'
import { useMemo } from 'preact/hooks'
import { Banner, Card, Empty, PageHead } from '../components/basics.tsx'
import { Facts } from '../components/facts.tsx'
import { Name } from '../components/name.tsx'
import { ProblemBanner } from '../components/problem-banner.tsx'
import { type Column, Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { Conservation } from '../figures/conservation.tsx'
import { RatesCard, useRates } from '../figures/rates.tsx'
import { getJson, pathOf } from '../http/call.ts'
import { currentOf } from '../http/current.ts'
import { usePolled } from '../http/poll.ts'
import { EventList } from '../log/event-list.tsx'
import { LiveSwitch } from '../log/live-switch.tsx'
import { type Log, useLog } from '../log/use-log.ts'
import { route } from '../routing/route.ts'
import { linkTo } from '../routing/url.ts'
import { may } from '../session/session.ts'
import type { LogEvent } from '../text/slices.ts'
import { topicShape } from '../text/topic.ts'
import { countText } from '../text/words.ts'
import type { View, ViewProps } from './view.ts'

export const topic: View = {
  path: 'topics/:topic',
  shapes: { topic: topicShape },
  title: ({ topic = '' }) => topic,
  component: Topic,
  scope: 'read',
}

function Topic({ params: { topic = '' } }: ViewProps) {
  const polled = usePolled(`topic ${topic}`, (signal) => getJson<Stats>(pathOf(['stats'], { topic }), signal))
  const { problem } = polled
  const data = currentOf(polled)
  const isLive = route.value.query.get('live') !== 'off'
  const log = useLog({ topic }, isLive)
  const figures = data?.topics?.[0]
  const rates = useRates({ topic })
  const isUnknown = data?.topics?.length === 0
  return (
    <>
      <PageHead title={<Name of={topic} />}>
        <a class="button" href={linkTo(['search'], { topic })}>
          Search
        </a>
        {may('publish') && (
          <a class="button" href={linkTo(['publish'], { topic })}>
            Publish
          </a>
        )}
      </PageHead>
      <ProblemBanner problem={problem} title="Its figures could not be read" />
      {isUnknown && <Empty title="There is no topic of this name">Its first event makes it.</Empty>}
      {figures?.loss_at && (
        <Banner tone="warning" title="Redis has lost data of this topic">
          Last noticed <Time at={figures.loss_at} />: lost and accepted are minimums since then.
        </Banner>
      )}
      {!isUnknown && (
        <div class="stack">
          <TopicFacts figures={figures} />
          <RatesCard data={rates} firstWithin="two minutes" />
          <Conservation figures={figures} />
          <Card title="Newest events" aside={<LiveSwitch log={log} />}>
            <ProblemBanner problem={log.problem} title="Events could not be read" />
            <EventList log={log} isOneTopic empty="It has no event yet" />
          </Card>
          <div class="columns">
            <Sources log={log} topic={topic} />
            <Conflicts topic={topic} />
          </div>
        </div>
      )}
    </>
  )
}

function TopicFacts({ figures }: { figures: TopicFigures | undefined }) {
  return (
    <Facts
      label="At a glance"
      facts={[
        { label: 'Head', value: countText(figures?.head_seq), note: 'seq of its last event' },
        ...(figures?.epoch
          ? [{ label: 'Epoch', value: countText(figures.epoch), note: 'the log was restored from a backup' }]
          : []),
        { label: 'Events', value: countText(figures?.stored), note: 'stored' },
        { label: 'In flight', value: countText(figures?.in_flight), note: 'accepted, not stored yet' },
        {
          label: 'Dead letters and conflicts',
          value: countText(sumOf(figures)),
          note: 'settled ones included',
        },
      ]}
    />
  )
}

const sumOf = (figures: TopicFigures | undefined): number | null =>
  figures === undefined || figures.dead === null || figures.conflicts === null
    ? null
    : figures.dead + figures.conflicts

interface Source {
  readonly source: string
  readonly events: number
  readonly last: LogEvent
}

/** Who sent what is in the list: the log has no index of sources. */
function Sources({ log, topic }: { log: Log; topic: string }) {
  const events = log.rows.shown
  const sources = useMemo(() => {
    const found = Map.groupBy(events, ({ source }) => source)
    return [...found].flatMap(([source, [last, ...rest]]) =>
      last ? [{ source, events: rest.length + 1, last }] : [],
    )
  }, [events])
  const columns: readonly Column<Source>[] = [
    {
      id: 'source',
      label: 'Source',
      cell: ({ source }) => (
        <a href={linkTo(['search'], { topic, source })}>
          <Name of={source} />
        </a>
      ),
    },
    { id: 'count', label: 'Events', align: 'end', cell: ({ events }) => countText(events) },
    { id: 'last', label: 'Last', align: 'end', cell: ({ last }) => <Time at={last.stored_at} /> },
  ]
  return (
    <Card title="Sources" aside={`of the newest ${countText(events.length)} events`}>
      {sources.length === 0 ? (
        <Empty title={log.problem || log.isLoading ? 'Unknown now' : 'Nobody yet'} />
      ) : (
        <Table caption="Sources" columns={columns} rows={sources} keyOf={({ source }) => source} />
      )}
    </Card>
  )
}

const conflictColumns: readonly Column<Letter>[] = [
  {
    id: 'id',
    label: 'Event id',
    cell: ({ id, event_id: eventId }) => (
      <a href={linkTo(['dead-letters', id])}>
        <Name of={eventId ?? id} />
      </a>
    ),
  },
  { id: 'state', label: 'State', cell: ({ state }) => state },
  { id: 'at', label: 'Received', align: 'end', cell: ({ received_at: at }) => <Time at={at} /> },
]

function Conflicts({ topic }: { topic: string }) {
  const { data } = usePolled(`conflicts ${topic}`, (signal) =>
    getJson<readonly Letter[]>(
      pathOf(['dead-letters'], { topic, kind: 'conflict', state: 'all', limit: 10 }),
      signal,
    ),
  )
  return (
    <Card title="Conflicts" aside="the newest ten">
      {data === undefined || data.length === 0 ? (
        <Empty title={data === undefined ? 'Unknown now' : 'None'} />
      ) : (
        <Table caption="Conflicts" columns={conflictColumns} rows={data} keyOf={({ id }) => id} />
      )}
    </Card>
  )
}
