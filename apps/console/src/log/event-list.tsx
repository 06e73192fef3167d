import type { ComponentChildren, TargetedEvent } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { moveByArrows } from '../components/arrows.ts'
import { Banner, Button, Empty } from '../components/basics.tsx'
import { Name } from '../components/name.tsx'
import { Time } from '../components/time.tsx'
import { linkTo } from '../routing/url.ts'
import type { LogEvent } from '../text/slices.ts'
import { countText, plural } from '../text/words.ts'
import { keyOf, type Restored, rowsMax, waitingCount } from './rows.ts'
import type { Log } from './use-log.ts'

/** Rows of a fixed height, as only those that can be seen are in the document. */
const rowPx = 34
const narrowRowPx = 58
const beyond = 12
/** How high a list may become, by events.css: it grows with its rows. */
const listPxMax = 700
const narrow = matchMedia('(max-width: 820px)')

const previewChars = 240

interface EventListProps {
  readonly log: Log
  /** Whether all events are of one topic, which then need not be named in each row. */
  readonly isOneTopic: boolean
  readonly empty: string
  /** What to do about it. */
  readonly emptyWords?: ComponentChildren
}

/** Events, newest first. What comes while somebody reads further down is only counted. Arrow keys go from row to row. */
export function EventList({ log, isOneTopic, empty, emptyWords }: EventListProps) {
  const { rows, problem, restored, isLoading, onOlder, hold, showNew } = log
  const scroller = useRef<HTMLElement>(null)
  const [top, setTop] = useState(0)
  const [isNarrow, setNarrow] = useState(narrow.matches)
  useEffect(() => {
    const onChange = () => setNarrow(narrow.matches)
    narrow.addEventListener('change', onChange)
    return () => narrow.removeEventListener('change', onChange)
  }, [])
  const onScroll = (event: TargetedEvent<HTMLElement>) => {
    const { scrollTop } = event.currentTarget
    if (scrollTop > 0 !== top > 0) hold(scrollTop > 0)
    setTop(scrollTop)
  }
  const toTop = () => {
    scroller.current?.scrollTo({ top: 0 })
    showNew()
  }
  const height = isNarrow ? narrowRowPx : rowPx
  const { shown } = rows
  // Why nothing could be read stands elsewhere: then nobody knows whether there is something
  if (shown.length === 0 && !isLoading) {
    const nothing = problem ? null : <Empty title={empty}>{emptyWords}</Empty>
    return restored ? (
      <>
        <RestoredBanner of={restored} />
        {nothing}
      </>
    ) : (
      nothing
    )
  }
  const first = Math.max(0, Math.floor(top / height) - beyond)
  const seen = Math.ceil(listPxMax / height) + 2 * beyond
  const waiting = waitingCount(rows)
  return (
    <div class={`events ${isOneTopic ? 'of-one-topic' : ''}`}>
      {restored && <RestoredBanner of={restored} />}
      <Button class="events-new" hidden={waiting === 0} onClick={toTop}>
        {countText(waiting)} new
      </Button>
      <section ref={scroller} class="events-scroll" aria-label="Events, newest first" onScroll={onScroll}>
        <div class="event-row events-head" aria-hidden="true">
          <span>Stored</span>
          <span class="event-topic">Topic</span>
          <span class="event-seq">Seq</span>
          <span>Event id</span>
          <span>Source</span>
          <span>Payload</span>
        </div>
        <ol class="events-rows" style={{ height: `${shown.length * height}px` }} onKeyDown={moveByArrows}>
          {shown.slice(first, first + seen).map((event, at) => (
            <EventRow
              key={keyOf(event)}
              event={event}
              index={first + at}
              count={shown.length}
              topPx={(first + at) * height}
            />
          ))}
        </ol>
      </section>
      <div class="pager">
        <span>{isLoading ? 'Reading …' : plural(shown.length, 'event')}</span>
        {onOlder && shown.length < rowsMax && (
          <Button onClick={onOlder} busy={isLoading}>
            Show older
          </Button>
        )}
        {onOlder && shown.length >= rowsMax && (
          <span>The list holds 1,000: narrow the search, or export</span>
        )}
      </div>
    </div>
  )
}

function RestoredBanner({ of: { topic, epoch, forkedAt } }: { of: Restored }) {
  return (
    <Banner tone="warning" title="The log was restored from a backup" alert>
      <Name of={topic} /> goes on{forkedAt !== undefined && ` after seq ${countText(forkedAt)},`} in epoch{' '}
      {countText(epoch)}. Events that were here may no longer be in the log: the list shows what is.
    </Banner>
  )
}

interface EventRowProps {
  readonly event: LogEvent
  readonly index: number
  readonly count: number
  readonly topPx: number
}

function EventRow({ event, index, count, topPx }: EventRowProps) {
  const { topic, event_id: id, source, seq, payload, stored_at: storedAt } = event
  return (
    <li
      class="event-row"
      aria-posinset={index + 1}
      aria-setsize={count}
      style={{ transform: `translateY(${topPx}px)` }}
    >
      <span class="event-time">
        <Time at={storedAt} as="clock" />
      </span>
      <span class="event-topic">
        <a href={linkTo(['topics', topic])}>{topic}</a>
      </span>
      <span class="event-seq">{countText(seq)}</span>
      <span class="event-id">
        <a href={linkTo(['events', topic, id])}>
          <Name of={id} />
        </a>
      </span>
      <span class="event-source">
        <Name of={source} />
      </span>
      <span class="event-payload">
        <Name of={payload.slice(0, previewChars)} />
      </span>
    </li>
  )
}
