import type { Scope } from '@sekali/core/access'
import { useState } from 'preact/hooks'
import { Banner, Button, Card, PageHead } from '../../components/basics.tsx'
import { CheckField } from '../../components/check-field.tsx'
import { Choice, Field } from '../../components/field.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { call } from '../../http/call.ts'
import type { Problem } from '../../http/problem.ts'
import { useAction } from '../../http/use-action.ts'
import { session } from '../../session/session.ts'
import type { View } from '../view.ts'
import { type Draft, emptyDraft, ends, keyOf } from './draft.ts'
import type { MadeKey } from './key.ts'
import { KeysAreOff } from './keys-are-off.tsx'
import { ShownOnce } from './shown-once.tsx'

export const keyMaker: View = {
  path: 'keys/new',
  title: () => 'Make a key',
  component: MakeKey,
  scope: 'admin',
}

function MakeKey() {
  const [made, setMade] = useState<MadeKey>()
  return (
    <>
      <PageHead title={made ? 'The key is made' : 'Make a key'} />
      {session.value?.auth === 'off' && <KeysAreOff />}
      {session.value?.auth === 'keys' && (made ? <ShownOnce made={made} /> : <KeyForm onMade={setMade} />)}
    </>
  )
}

const scopes: readonly (readonly [Scope, string])[] = [
  ['publish', 'Publish events.'],
  ['read', 'Query, replay and tail; receipts, figures, projections, dead letters.'],
  ['work', 'Pull events of subscriptions and settle them.'],
  ['admin', 'Redrive, rebuild and drop; doctor, keys, subscriptions.'],
]

function KeyForm({ onMade }: { onMade: (made: MadeKey) => void }) {
  const [draft, setDraft] = useState<Draft>(emptyDraft)
  const { run, isBusy, problem } = useAction(async () => {
    onMade(JSON.parse((await call('keys', { method: 'POST', body: keyOf(draft, Date.now()) })).text))
  })
  const text = (name: keyof Draft) => ({
    value: String(draft[name]),
    onValue: (value: string) => setDraft({ ...draft, [name]: value }),
    error: errorOf(problem, name),
  })
  const setScope = (scope: Scope, isChecked: boolean) =>
    setDraft({
      ...draft,
      scopes: [...draft.scopes.filter((one) => one !== scope), ...(isChecked ? [scope] : [])],
    })
  return (
    <form
      class="form stack"
      // The gateway says beside each field what is wrong with it
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        run()
      }}
    >
      <Card title="What it may do">
        <div class="stack">
          <Field label="Name" {...text('name')} hint="For people, who see it in lists." required autoFocus />
          <fieldset class="group">
            <legend>Scopes</legend>
            {scopes.map(([scope, hint]) => (
              <CheckField
                key={scope}
                label={scope}
                hint={hint}
                isChecked={draft.scopes.includes(scope)}
                onChecked={(isChecked) => setScope(scope, isChecked)}
              />
            ))}
            {errorOf(problem, 'scopes') && <p class="field-error">{errorOf(problem, 'scopes')}</p>}
          </fieldset>
          <Field
            label="Topics and patterns"
            {...text('topics')}
            rows={3}
            mono
            required
            hint={
              <>
                One a line: <code>orders.&gt;</code> is all below orders, <code>&gt;</code> is all.
              </>
            }
          />
        </div>
      </Card>
      <Card title="Bounds" aside="may all be left empty">
        <div class="columns">
          <Field label="The one source it publishes as" {...text('source')} mono />
          <Choice label="It ends" value={draft.ends} onValue={text('ends').onValue} choices={ends} />
          <Field label="Events a second" {...text('events_per_second')} type="number" />
          <Field label="Bytes a second" {...text('bytes_per_second')} type="number" />
        </div>
        {errorOf(problem, 'expires_at') && (
          <p class="field-error">It ends: {errorOf(problem, 'expires_at')}</p>
        )}
      </Card>
      <WhyNot problem={problem} />
      <div class="form-buttons">
        <a class="button" href="#/keys">
          Leave it
        </a>
        <Button type="submit" kind="primary" busy={isBusy}>
          Make the key
        </Button>
      </div>
    </form>
  )
}

/** What is wrong with a field; of an array also with one of its elements. */
const errorOf = (problem: Problem | undefined, name: string): string | undefined =>
  problem?.errors.find(({ path }) => path === name || path.startsWith(`${name}.`))?.message

/** What is said beside a field is not said twice. */
function WhyNot({ problem }: { problem: Problem | undefined }) {
  if (problem?.code !== 'invalid_key') return <ProblemBanner problem={problem} title="No key is made" />
  return (
    <Banner tone="problem" title="No key is made" alert>
      Look at the fields that are marked.
    </Banner>
  )
}
