import type { ProjectionError, ProjectionInfo } from '@sekali/client'
import { Banner, type Tone } from '../../components/basics.tsx'
import { Name } from '../../components/name.tsx'
import { linkTo } from '../../routing/url.ts'
import { plural } from '../../text/words.ts'
import { isOfEvent } from './projection.ts'

/** What is wrong with a projection, each with the event that caused it. */
export function Troubles({ projection }: { projection: ProjectionInfo }) {
  const { error, skipped, rebuild, status } = projection
  return (
    <>
      {error && isOfEvent(error) && (
        <OfEvent tone="problem" title="It stopped at an event that it cannot fold" trouble={error}>
          Mend its file, which begins a new version; or rebuild it, if the cause was elsewhere.
        </OfEvent>
      )}
      {rebuild?.error && (
        <OfEvent
          tone="problem"
          title="Its rebuild stopped at an event that it cannot fold"
          trouble={rebuild.error}
        >
          What is shown goes on with the version of before.
        </OfEvent>
      )}
      {skipped && (
        <OfEvent
          tone="warning"
          title={`It left out ${plural(skipped.count, 'event')}; the last`}
          trouble={skipped.last}
        />
      )}
      {status === 'orphaned' && (
        <Banner tone="warning" title="No projector folds it">
          Its file is gone, or no projector runs. What is shown stands still. It can be dropped.
        </Banner>
      )}
    </>
  )
}

interface OfEventProps {
  readonly tone: Tone
  readonly title: string
  readonly trouble: ProjectionError
  readonly children?: string
}

function OfEvent({ tone, title, trouble: { topic, seq, event_id, message }, children }: OfEventProps) {
  return (
    <Banner tone={tone} title={title}>
      <p>
        <a href={linkTo(['events', topic, event_id])}>
          <bdi>{topic}</bdi> seq {seq}
        </a>
        , <Name of={event_id} />
      </p>
      <p class="mono">
        <Name of={message} />
      </p>
      {children && <p>{children}</p>}
    </Banner>
  )
}
