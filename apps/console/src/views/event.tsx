import type { ComponentChildren } from 'preact'
import { Badge, Banner, Card, Empty, PageHead } from '../components/basics.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { Details } from '../components/facts.tsx'
import { JsonTabs } from '../components/json-tabs.tsx'
import { Name } from '../components/name.tsx'
import { ProblemBanner } from '../components/problem-banner.tsx'
import { Time } from '../components/time.tsx'
import { call, pathOf } from '../http/call.ts'
import { usePolled } from '../http/poll.ts'
import { Problem } from '../http/problem.ts'
import { Neighbours } from '../log/neighbours.tsx'
import { route } from '../routing/route.ts'
import { linkTo } from '../routing/url.ts'
import { may } from '../session/session.ts'
import { eventOf, type LogEvent } from '../text/slices.ts'
import { topicShape } from '../text/topic.ts'
import { bytesText, countText, durationText } from '../text/words.ts'
import type { View, ViewProps } from './view.ts'

export const event: View = {
  path: 'events/:topic/:id',
  shapes: { topic: topicShape },
  title: ({ id = '' }) => id,
  component: EventView,
  scope: 'read',
}

/** What has become of an event, as far as the gateway can tell. */
type Receipt =
  | { readonly status: 'stored'; readonly event: LogEvent }
  | { readonly status: 'in flight' }
  | { readonly status: 'dead'; readonly reason: string }
  | { readonly status: 'unknown'; readonly words: string }

async function readReceipt(topic: string, id: string, signal: AbortSignal): Promise<Receipt> {
  try {
    // In a path `.` and `..` would mean folders, and ids may be either.
    const { text } = await call(pathOf(['events', topic], { event_id: id }), { signal })
    return { status: 'stored', event: eventOf(text) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.code === 'event_in_flight') return { status: 'in flight' }
    if (error.code === 'dead_event') return { status: 'dead', reason: String(error.fields.reason ?? '') }
    if (error.code === 'unknown_event') return { status: 'unknown', words: error.message }
    throw error
  }
}

function EventView({ params: { topic = '', id = '' } }: ViewProps) {
  const { data, problem } = usePolled(
    `event ${topic} ${id}`,
    (signal) => readReceipt(topic, id, signal),
    // What is stored never changes.
    { everyMs: null },
  )
  return (
    <>
      <PageHead title={<Name of={id} />}>
        <CopyButton text={id} words="Copy id" />
        {may('publish') && (
          <a class="button" href={linkTo(['publish'], { topic })}>
            Publish to this topic
          </a>
        )}
      </PageHead>
      <ProblemBanner problem={problem} title="The event could not be read" />
      {data?.status === 'stored' && <Stored event={data.event} />}
      {data?.status === 'in flight' && <InFlight topic={topic} id={id} />}
      {data?.status === 'dead' && (
        <Banner tone="problem" title="It is a dead letter">
          {data.reason}{' '}
          <a href={linkTo(['dead-letters'], { topic, kind: 'entry' })}>See the dead letters of {topic}</a>
        </Banner>
      )}
      {data?.status === 'unknown' && <Empty title="There is no such event">{data.words}</Empty>}
    </>
  )
}

function InFlight({ topic, id }: { topic: string; id: string }) {
  const { data } = usePolled(`waits ${topic} ${id}`, (signal) => readReceipt(topic, id, signal), {
    everyMs: 1_000,
  })
  if (data?.status === 'stored') return <Stored event={data.event} />
  return (
    <Banner tone="accent" title="It is on its way">
      It is accepted and waits in Redis for a consumer. This page shows it as soon as it is stored.
    </Banner>
  )
}

function Stored({ event }: { event: LogEvent }) {
  const { topic, seq, source, timestamp, received_at: received, stored_at: stored, payload } = event
  const bytes = new TextEncoder().encode(payload).length
  const toStoreMs = Date.parse(stored) - Date.parse(received)
  const sent = route.value.query.get('sent')
  const rows: readonly (false | readonly [string, ComponentChildren])[] = [
    ['Topic', <a href={linkTo(['topics', topic])}>{topic}</a>],
    ['Seq', countText(seq)],
    [
      'Source',
      <a href={linkTo(['search'], { topic, source })}>
        <Name of={source} />
      </a>,
    ],
    ['Happened', <Exact at={timestamp} />],
    sent !== null && [
      'Sent again as',
      <>
        <Name of={sent} />
        <br />
        <span class="lead">a repeat with another timestamp, which was dropped</span>
      </>,
    ],
    ['Received by Redis', <Exact at={received} />],
    ['Stored', <Exact at={stored} note={`${durationText(toStoreMs)} later`} />],
  ]
  return (
    <div class="event-columns">
      <Card title="Payload" aside={bytesText(bytes)}>
        <JsonTabs text={payload} label="Payload" of="the payload" />
      </Card>
      <div class="stack">
        <Card title="Receipt" aside={<Badge tone="ok">stored</Badge>}>
          <Details rows={rows} />
        </Card>
        <Neighbours of={event} />
      </div>
    </div>
  )
}

const Exact = ({ at, note }: { at: string; note?: string }) => (
  <>
    <code>{at}</code>
    <br />
    <span class="lead">{note ?? <Time at={at} />}</span>
  </>
)
