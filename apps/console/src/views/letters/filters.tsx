import { useEffect, useState } from 'preact/hooks'
import { Button } from '../../components/basics.tsx'
import { Choice, Field } from '../../components/field.tsx'
import { goTo, route, withQuery } from '../../routing/route.ts'
import { linkTo } from '../../routing/url.ts'
import { utcOf } from '../../text/instant.ts'

const names = ['topic', 'subscription', 'reason', 'from', 'to'] as const
type Typed = Readonly<Record<(typeof names)[number], string>>

const typedIn = (query: URLSearchParams): Typed => ({
  topic: query.get('topic') ?? '',
  subscription: query.get('subscription') ?? '',
  reason: query.get('reason') ?? '',
  from: query.get('from') ?? '',
  to: query.get('to') ?? '',
})

/** The filters that the URL has. What is typed counts once it is sent: half a pattern would be refused. */
export function LetterFilters() {
  const { query } = route.value
  const text = query.toString()
  const [typed, setTyped] = useState(typedIn(query))
  const [bad, setBad] = useState<'from' | 'to'>()
  // The URL may change without this form, as by the back button
  useEffect(() => setTyped(typedIn(new URLSearchParams(text))), [text])
  const set = (name: keyof Typed) => (value: string) => setTyped({ ...typed, [name]: value })
  const choose = (name: 'kind' | 'state') => (value: string) => goTo(withQuery({ [name]: value }))
  return (
    <form
      class="filters"
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault()
        const times = { from: utcOf(typed.from, Date.now()), to: utcOf(typed.to, Date.now()) }
        setBad(times.from === undefined ? 'from' : times.to === undefined ? 'to' : undefined)
        if (times.from !== undefined && times.to !== undefined) goTo(withQuery({ ...typed, ...times }))
      }}
    >
      <Choice label="State" value={query.get('state') ?? 'open'} onValue={choose('state')} choices={states} />
      <Choice label="Kind" value={query.get('kind') ?? ''} onValue={choose('kind')} choices={kinds} />
      <Field
        label="Topic or pattern"
        value={typed.topic}
        onValue={set('topic')}
        placeholder="orders.>"
        mono
      />
      <Field
        label="Subscription"
        value={typed.subscription}
        onValue={set('subscription')}
        placeholder="mailer"
        mono
      />
      <Field label="Reason" value={typed.reason} onValue={set('reason')} placeholder="23514" mono />
      {(['from', 'to'] as const).map((name) => (
        <Field
          key={name}
          label={name === 'from' ? 'Received from' : 'Received before'}
          value={typed[name]}
          onValue={set(name)}
          placeholder="2h"
          error={bad === name ? 'must be a time, as 2026-03-01 10:00, or how long ago: 2h' : undefined}
        />
      ))}
      <div class="filter-buttons">
        <Button type="submit">Filter</Button>
        {text !== '' && (
          <Button kind="quiet" onClick={() => goTo(linkTo(['dead-letters']))}>
            Clear
          </Button>
        )}
      </div>
    </form>
  )
}

const states = [
  ['open', 'open'],
  ['redriven', 'redriven'],
  ['discarded', 'discarded'],
  ['published_as', 'published as another'],
  ['all', 'all'],
] as const

const kinds = [
  ['', 'all'],
  ['entry', 'dead letters'],
  ['conflict', 'conflicts'],
  ['delivery', 'deliveries'],
] as const
