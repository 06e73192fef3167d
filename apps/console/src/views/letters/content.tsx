import { Banner, Card } from '../../components/basics.tsx'
import { Details } from '../../components/facts.tsx'
import { JsonTabs } from '../../components/json-tabs.tsx'
import { Name } from '../../components/name.tsx'
import { RawText } from '../../components/raw-text.tsx'
import { visible } from '../../text/visible.ts'
import type { Content, LetterWithContent } from './letter.ts'

/** For a letter that is a stub. */
export function NothingKept() {
  return (
    <Banner tone="unknown" title="Nothing of its content is kept">
      Its topic had too many letters. It can only be discarded; its publisher has the event.
    </Banner>
  )
}

/** What Redis had, and the event in it, if it is one. */
export function EntryContent({ letter: { kept, event, fields = [] } }: { letter: LetterWithContent }) {
  if (!kept) return <NothingKept />
  return (
    <>
      {event ? (
        <EventContent title="The event that a redrive appends" content={event} />
      ) : (
        <Banner tone="warning" title="This is no event">
          A redrive leaves it open. Discard it once you know where it came from.
        </Banner>
      )}
      <Card title="The entry, as Redis had it">
        <div class="stack">
          {pairs(fields).map(([name, value]) => (
            <div key={name} class="entry-field">
              <h3>
                Field <code>{visible(name)}</code>
              </h3>
              <RawText text={value} of={`field ${visible(name)}`} />
            </div>
          ))}
        </div>
      </Card>
    </>
  )
}

/** The event that workers could not do. */
export function Delivered({ letter: { event } }: { letter: LetterWithContent }) {
  if (event) return <EventContent title="The event" content={event} />
  return (
    <Banner tone="unknown" title="The event is gone">
      A restore has taken it away, or somebody has deleted its row. Discard the letter.
    </Banner>
  )
}

/** Field, value, field, value … */
const pairs = (fields: readonly string[]): (readonly [string, string])[] =>
  fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ''] as const] : []))

/** Timestamp and source, and the payload as a tree or as it was sent. */
export function EventContent({ title, content }: { title: string; content: Content }) {
  const { timestamp, source, payload } = content
  return (
    <Card title={title}>
      <div class="stack">
        <Details
          rows={[
            ['Timestamp', <code>{timestamp}</code>],
            ['Source', <Name of={source} />],
          ]}
        />
        <JsonTabs text={payload} label={`Payload: ${title}`} of="the payload" />
      </div>
    </Card>
  )
}
