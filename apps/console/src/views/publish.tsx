import type { Published } from '@sekali/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Banner, Button, Card, PageHead, type Tone } from '../components/basics.tsx'
import { Field } from '../components/field.tsx'
import { ProblemBanner } from '../components/problem-banner.tsx'
import { call } from '../http/call.ts'
import { Problem } from '../http/problem.ts'
import { useAction } from '../http/use-action.ts'
import { route } from '../routing/route.ts'
import { linkTo } from '../routing/url.ts'
import { may } from '../session/session.ts'
import { bodyOf, type Draft, newEventId, notJsonWords } from '../text/draft.ts'
import { countText } from '../text/words.ts'
import type { View } from './view.ts'

export const publish: View = {
  path: 'publish',
  title: () => 'Publish',
  component: Publish,
  scope: 'publish',
  entry: { words: 'Publish', group: 'Log', icon: 'M2.5 8 13.5 3l-3 10.5-3-4.5zM7.5 9l6-6' },
}

interface Outcome {
  readonly tone: Tone
  readonly title: string
  readonly draft: Draft
  /** It is there already, with another timestamp than the one that was sent. */
  readonly hasOtherTime?: boolean
}

const waitSeconds = 5

async function send(draft: Draft): Promise<Outcome> {
  const body = readBody(draft)
  try {
    const headers = { Prefer: `wait=${waitSeconds}` }
    const { text } = await call('publish', { method: 'POST', headers, body })
    const published = JSON.parse(text) as Published
    if (published.status === 'queued')
      return { tone: 'warning', title: 'Accepted, and not stored yet', draft }
    const number = countText(published.seq)
    if (published.status === 'stored') return { tone: 'ok', title: `Stored as number ${number}`, draft }
    const hasOtherTime = published.differs?.includes('timestamp') ?? false
    return { tone: 'accent', title: `It was there already, as number ${number}`, draft, hasOtherTime }
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'conflict') throw error
    return { tone: 'problem', title: 'Conflict: another content has this event id', draft }
  }
}

function readBody(draft: Draft): string {
  try {
    return bodyOf(draft)
  } catch (error) {
    const message = notJsonWords(error)
    const errors = [{ path: 'payload', code: 'malformed_json', message }]
    throw new Problem(0, 'malformed_json', message, { errors })
  }
}

/** An event by hand. Its payload is sent as the text that is typed. */
function Publish() {
  const [draft, setDraft] = useState<Draft>({
    topic: route.value.query.get('topic') ?? '',
    event_id: newEventId(),
    source: 'console',
    timestamp: new Date().toISOString(),
    payload: '{\n  \n}',
  })
  const [outcome, setOutcome] = useState<Outcome>()
  const { run, isBusy, problem } = useAction(async () => {
    setOutcome(undefined)
    setOutcome(await send(draft))
  })
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (outcome || problem) place.current?.scrollIntoView({ block: 'nearest' })
  }, [outcome, problem])
  const isNamed = problem?.errors.some(({ path }) => fieldOf(path) in draft) ?? false
  const field = (name: keyof Draft) => ({
    value: draft[name],
    onValue: (value: string) => setDraft({ ...draft, [name]: value }),
    error: problem?.errors.find(({ path }) => fieldOf(path) === name)?.message,
  })
  return (
    <>
      <PageHead title="Publish" lead="One event, by hand. The payload is sent as the text that you type." />
      <Card title="Event">
        <form
          class="publish-form"
          onSubmit={(event) => {
            event.preventDefault()
            run()
          }}
        >
          <Field label="Topic" required placeholder="orders.eu.paid" {...field('topic')} />
          <Field label="Source" required hint="Who sends it." {...field('source')} />
          <Field
            label="Event id"
            required
            hint="What a repeat is recognised by: the same id with the same content is stored once."
            {...field('event_id')}
          />
          <Field
            label="Timestamp"
            required
            hint="When it happened, with an offset."
            {...field('timestamp')}
          />
          <Field
            label="Payload"
            required
            rows={12}
            mono
            class="whole"
            hint="A JSON object."
            {...field('payload')}
          />
          <div class="form-actions whole">
            <Button kind="primary" type="submit" busy={isBusy}>
              Publish
            </Button>
            <Button
              onClick={() =>
                setDraft({ ...draft, event_id: newEventId(), timestamp: new Date().toISOString() })
              }
            >
              New id and time
            </Button>
            <div ref={place} class="outcome" aria-live="polite">
              {problem && !isNamed && <ProblemBanner problem={problem} title="It was not accepted" />}
              {outcome && <OutcomeBanner outcome={outcome} />}
            </div>
          </div>
        </form>
      </Card>
    </>
  )
}

/** `payload.total` is about the payload. */
const fieldOf = (path: string): string => path.split('.')[0] ?? ''

function OutcomeBanner({ outcome: { tone, title, draft, hasOtherTime } }: { outcome: Outcome }) {
  const { topic, event_id: id, timestamp } = draft
  const sent = hasOtherTime ? timestamp : undefined
  return (
    <Banner tone={tone} title={title}>
      {hasOtherTime && <p>Its timestamp differs: the log keeps that of the first, and yours was dropped.</p>}
      {may('read') && (
        <>
          <a href={linkTo(['events', topic, id], { sent })}>See the event</a> ·{' '}
          <a href={linkTo(['topics', topic])}>its topic</a>
        </>
      )}
      {may('read') && tone === 'problem' && (
        <>
          {' '}
          · <a href={linkTo(['dead-letters'], { topic, kind: 'conflict' })}>compare both contents</a>
        </>
      )}
    </Banner>
  )
}
