import { useState } from 'preact/hooks'
import { Button, Card, Empty } from '../../components/basics.tsx'
import { Field } from '../../components/field.tsx'
import { JsonTabs } from '../../components/json-tabs.tsx'
import { Name } from '../../components/name.tsx'
import { Pager } from '../../components/pager.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { call, pathOf } from '../../http/call.ts'
import { usePolled } from '../../http/poll.ts'
import { usePages } from '../../http/use-pages.ts'
import { goTo, route, withQuery } from '../../routing/route.ts'
import { sliceObject, sliceObjects } from '../../text/slices.ts'
import { visible } from '../../text/visible.ts'
import { plural } from '../../text/words.ts'

interface KeyState {
  readonly key: string
  /** JSON text, as it was folded. */
  readonly state: string
}

/** The state; of one with keys those of all keys in pages, or that of one. */
export function States({ name, isKeyed }: { name: string; isKeyed: boolean }) {
  const key = route.value.query.get('key')
  if (!isKeyed) return <OneState name={name} />
  return (
    <Card title="State by key" aside={<FindKey key={key} wanted={key ?? ''} />}>
      {key === null ? <AllKeys name={name} /> : <OneKey name={name} wanted={key} />}
    </Card>
  )
}

function FindKey({ wanted }: { wanted: string }) {
  const [typed, setTyped] = useState(wanted)
  return (
    <form
      class="find-key"
      onSubmit={(event) => {
        event.preventDefault()
        goTo(withQuery({ key: typed }))
      }}
    >
      <Field label="Key" value={typed} onValue={setTyped} type="search" mono />
      <Button type="submit">Find</Button>
      {wanted !== '' && (
        <Button kind="quiet" onClick={() => goTo(withQuery({ key: undefined }))}>
          All keys
        </Button>
      )}
    </form>
  )
}

function OneState({ name }: { name: string }) {
  const path = pathOf(['projections', name])
  const { data, problem } = usePolled(
    path,
    async (signal) => sliceObject((await call(path, { signal })).text).get('state') ?? 'null',
  )
  return (
    <Card title="State">
      <ProblemBanner problem={problem} title="The state could not be read" />
      {data !== undefined && <JsonTabs text={data} label="State" of="the state" />}
    </Card>
  )
}

/** Also of a key that a path cannot have. */
function OneKey({ name, wanted }: { name: string; wanted: string }) {
  const path = pathOf(['projections', name], { key: wanted })
  const { data, problem } = usePolled(
    path,
    async (signal) => sliceObject((await call(path, { signal })).text).get('state') ?? 'null',
  )
  return (
    <>
      <ProblemBanner problem={problem} title="It has no such key" />
      {data !== undefined && !problem && (
        <>
          <h3>
            <Name of={wanted} />
          </h3>
          <JsonTabs text={data} label="State" of="the state" />
        </>
      )}
    </>
  )
}

function AllKeys({ name }: { name: string }) {
  const { rows, problem, onMore, soFar, isBusy } = usePages(
    ['projections', name],
    { limit: 50 },
    { read: keysOf },
  )
  return (
    <>
      <ProblemBanner problem={problem} title="The states could not be read" />
      {rows?.length === 0 && <Empty title="No event has made a key yet." />}
      {rows?.map(({ key, state }) => (
        <KeyRow key={key} of={key} state={state} />
      ))}
      {rows !== undefined && rows.length > 0 && (
        <Pager words={`${plural(rows.length, 'key')}${soFar}`} onMore={onMore} busy={isBusy} />
      )}
    </>
  )
}

function keysOf(text: string): KeyState[] {
  const keys = sliceObject(text).get('keys') ?? '[]'
  return sliceObjects(keys).map((members) => ({
    key: JSON.parse(members.get('key') ?? '""'),
    state: members.get('state') ?? 'null',
  }))
}

/** As much of a state as fits on a line; all of it when it is opened. */
const lineChars = 160

function KeyRow({ of, state }: { of: string; state: string }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="key-row" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <bdi class="mono key-name">{visible(of)}</bdi>{' '}
        {!isOpen && <bdi class="mono faint cut">{visible(state.slice(0, lineChars))}</bdi>}
      </summary>
      {isOpen && <JsonTabs text={state} label={`State of ${visible(of)}`} of="the state" />}
    </details>
  )
}
