import { useEffect, useState } from 'preact/hooks'
import { Button, Empty, PageHead } from '../components/basics.tsx'
import { Choice, Field } from '../components/field.tsx'
import { Name } from '../components/name.tsx'
import { ProblemBanner } from '../components/problem-banner.tsx'
import { find } from '../http/find.ts'
import { type Polled, usePolled } from '../http/poll.ts'
import { EventList } from '../log/event-list.tsx'
import { ExportButton } from '../log/export-button.tsx'
import { LiveSwitch } from '../log/live-switch.tsx'
import { type LogQuery, useLog } from '../log/use-log.ts'
import { goTo, route } from '../routing/route.ts'
import { linkTo } from '../routing/url.ts'
import { may, ownPatterns, session } from '../session/session.ts'
import { utcOf } from '../text/instant.ts'
import { isWild } from '../text/topic.ts'
import { zoneText } from '../text/words.ts'
import type { View } from './view.ts'

export const search: View = {
  path: 'search',
  title: () => 'Search and tail',
  component: Search,
  scope: 'read',
  entry: {
    words: 'Search and tail',
    group: 'Log',
    icon: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.5 10.5 14 14',
  },
}

function Search() {
  const { query } = route.value
  const found = query.get('find')
  // Another search begins anew; to pause it is the same one.
  const key = [...query].filter(([name]) => name !== 'live').join('\n')
  if (found !== null) return <Finding text={found} />
  // Which topics a search begins with depends on whose it is.
  return session.value === undefined ? <p>Reading …</p> : <Results key={key} />
}

/** Where a text leads to that was typed into the box. */
function Finding({ text }: { text: string }) {
  const { data, problem } = usePolled(`find ${text}`, (signal) => find(text, signal), { everyMs: null })
  useEffect(() => {
    if (data?.kind === 'topic') goTo(linkTo(['topics', data.topic]), { replace: true })
    if (data?.kind === 'pattern') goTo(linkTo(['search'], { topic: data.topic }), { replace: true })
    const [event, ...others] = data?.kind === 'events' ? data.events : []
    if (event && others.length === 0) {
      goTo(linkTo(['events', event.topic, event.event_id]), { replace: true })
    }
  }, [data])
  const events = data?.kind === 'events' ? data.events : []
  return (
    <>
      <PageHead title={<Name of={text} />} lead="As a topic, a pattern, or the id of an event" />
      <ProblemBanner problem={problem} title="The search did not work" />
      {data === undefined && !problem && <p>Looking …</p>}
      {data?.kind === 'events' && events.length === 0 && (
        <Empty title="There is neither a topic nor an event of this name">
          An event can be on its way still; <a href={linkTo(['search'])}>search by source or time</a> instead.
        </Empty>
      )}
      {events.length > 1 && (
        <ul class="findings card">
          {events.map(({ topic, event_id: id }) => (
            <li key={topic}>
              <a href={linkTo(['events', topic, id])}>
                {topic} <Name of={id} />
              </a>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

const times = [
  ['timestamp', 'it happened'],
  ['received_at', 'it was received'],
] as const

const nothingYet = () => ({
  empty: 'There is no event yet',
  emptyWords: may('publish') && <a href={linkTo(['publish'])}>Publish a first event</a>,
})

function Results() {
  const [own] = ownPatterns.value
  // A key of some topics is refused all of them together.
  const given: Given = { ...(own !== undefined && { topic: own }), ...Object.fromEntries(route.value.query) }
  const bound = Boolean(given.from || given.to)
  const query: LogQuery = {
    topic: given.topic,
    source: given.source,
    from: given.from,
    to: given.to,
    by: bound ? given.by : undefined,
  }
  // What has an end cannot grow.
  const isLive = !bound && given.live !== 'off'
  const log = useLog(query, isLive)
  const isOneTopic = given.topic !== undefined && !isWild(given.topic)
  const isAll = Object.values(query).every((value) => !value)
  return (
    <>
      <PageHead title="Search and tail" lead={`Times are those of this browser: ${zoneText(new Date())}.`}>
        {!bound && <LiveSwitch log={log} />}
        <ExportButton query={query} />
      </PageHead>
      <SearchForm given={given} log={log} />
      <OwnPatterns />
      <EventList
        log={log}
        isOneTopic={isOneTopic}
        {...(isAll ? nothingYet() : { empty: 'No event matches' })}
      />
    </>
  )
}

/** The others that a key may search. */
function OwnPatterns() {
  const patterns = ownPatterns.value
  if (patterns.length < 2) return null
  return (
    <p class="faint">
      This key sees{' '}
      {patterns.map((topic, at) => (
        <span key={topic}>
          {at > 0 && ', '}
          <a href={linkTo(['search'], { topic })}>{topic}</a>
        </span>
      ))}
    </p>
  )
}

type Given = Readonly<Record<string, string | undefined>>

function SearchForm({ given, log }: { given: Given; log: { problem: Polled<unknown>['problem'] } }) {
  const [fields, setFields] = useState<Given>(given)
  const set = (name: string) => (value: string) => setFields({ ...fields, [name]: value })
  const errorOf = (name: string) => log.problem?.errors.find(({ path }) => path === name)?.message
  const isNamed = log.problem?.errors.some(({ path }) => path in fields) ?? false
  const time = (name: 'from' | 'to', label: string) => (
    <Field
      label={label}
      value={fields[name] ?? ''}
      placeholder="2h or 2026-01-31"
      onValue={set(name)}
      error={errorOf(name)}
    />
  )
  const submit = () => {
    const now = Date.now()
    const { from = '', to = '' } = fields
    goTo(linkTo(['search'], { ...fields, from: utcOf(from, now) ?? from, to: utcOf(to, now) ?? to }))
  }
  return (
    <form
      class="search-form card"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Field
        label="Topic or pattern"
        value={fields.topic ?? ''}
        placeholder="all topics"
        onValue={set('topic')}
        error={errorOf('topic')}
      />
      <Field
        label="Source"
        value={fields.source ?? ''}
        placeholder="any"
        onValue={set('source')}
        error={errorOf('source')}
      />
      {time('from', 'From')}
      {time('to', 'Before')}
      <Choice label="When" value={fields.by ?? 'timestamp'} onValue={set('by')} choices={times} />
      <Button kind="primary" type="submit">
        Search
      </Button>
      {log.problem && !isNamed && <ProblemBanner problem={log.problem} title="The search did not work" />}
    </form>
  )
}
