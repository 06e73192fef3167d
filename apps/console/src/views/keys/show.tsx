import { useState } from 'preact/hooks'
import { Badge, Button, Card, PageHead } from '../../components/basics.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { Details } from '../../components/facts.tsx'
import { Choice } from '../../components/field.tsx'
import { Name } from '../../components/name.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { Time } from '../../components/time.tsx'
import { announce } from '../../components/toast.tsx'
import { call, getJson, pathOf } from '../../http/call.ts'
import { usePolled } from '../../http/poll.ts'
import { useAction } from '../../http/use-action.ts'
import { linkTo } from '../../routing/url.ts'
import { session } from '../../session/session.ts'
import { bytesText, countText } from '../../text/words.ts'
import type { View, ViewProps } from '../view.ts'
import { type Key, type MadeKey, tones } from './key.ts'
import { ShownOnce } from './shown-once.tsx'

export const keyView: View = {
  path: 'keys/:id',
  shapes: { id: /^[0-9A-Za-z]{12}$/ },
  title: ({ id }) => `Key ${id}`,
  component: ShownKey,
  scope: 'admin',
}

function ShownKey({ params: { id = '' } }: ViewProps) {
  const path = pathOf(['keys', id])
  const { data, problem, refresh } = usePolled(path, (signal) => getJson<Key>(path, signal))
  const [made, setMade] = useState<MadeKey>()
  const canChange = data?.status === 'live' && session.value?.auth !== 'off'
  return (
    <>
      <PageHead title={<Name of={data?.name ?? id} />}>
        {canChange && !made && (
          <>
            <Revoke of={data} onRevoked={refresh} />
            {data.successor === null && <Rotate of={data} onMade={setMade} />}
          </>
        )}
      </PageHead>
      <ProblemBanner problem={problem} title="The key could not be read" />
      {made && <ShownOnce made={made} />}
      {data && (
        <Card
          title="What it may do"
          class="wide-details"
          aside={<Badge tone={tones[data.status]}>{data.status}</Badge>}
        >
          <About of={data} />
        </Card>
      )}
    </>
  )
}

function About({ of }: { of: Key }) {
  const { id, scopes, topics, source, events_per_second, bytes_per_second, successor } = of
  return (
    <Details
      rows={[
        ['Id', <code>{id}</code>],
        ['Scopes', scopes.join(', ')],
        ['Topics', <span class="mono">{topics.join(' ')}</span>],
        source !== undefined && ['Publishes as', <Name of={source} />],
        events_per_second !== undefined && ['Events a second', countText(events_per_second)],
        bytes_per_second !== undefined && ['Bytes a second', bytesText(bytes_per_second)],
        ['Made', <Time at={of.created_at} />],
        ['Made by', <Name of={of.created_by} />],
        ['Last used', of.last_used_at === null ? 'never' : <Time at={of.last_used_at} />],
        ['Ends', of.expires_at === null ? 'never' : <Time at={of.expires_at} />],
        of.revoked_at !== null && ['Revoked', <Time at={of.revoked_at} />],
        successor !== null && ['Its place took', <a href={linkTo(['keys', successor])}>{successor}</a>],
      ]}
    />
  )
}

const graces = [
  ['0', 'not at all'],
  ['3600', 'for an hour'],
  ['86400', 'for a day'],
  ['604800', 'for 7 days'],
] as const

function Rotate({ of: { id, name }, onMade }: { of: Key; onMade: (made: MadeKey) => void }) {
  const [isOpen, setOpen] = useState(false)
  const [grace, setGrace] = useState('86400')
  const action = useAction(async () => {
    const body = { old_expires_in_seconds: Number(grace) }
    const { text } = await call(pathOf(['keys', id, 'rotate']), { method: 'POST', body })
    setOpen(false)
    onMade(JSON.parse(text))
  })
  return (
    <>
      <Button kind="primary" onClick={() => setOpen(true)}>
        Rotate…
      </Button>
      <Confirm
        title={`Rotate ${name}`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        words="Make the new key"
        kind="primary"
        action={action}
      >
        <p>
          A new key takes its place and may do the same. Change its holder over while the old one still works.
        </p>
        <Choice label="The old key still works" value={grace} onValue={setGrace} choices={graces} />
      </Confirm>
    </>
  )
}

function Revoke({ of: { id, name }, onRevoked }: { of: Key; onRevoked: () => void }) {
  const [isOpen, setOpen] = useState(false)
  const isOwn = session.value?.holder === id
  const action = useAction(async () => {
    await call(pathOf(['keys', id]), { method: 'DELETE' })
    announce(`${name} is revoked`)
    setOpen(false)
    onRevoked()
  })
  return (
    <>
      <Button kind="danger" onClick={() => setOpen(true)}>
        Revoke…
      </Button>
      <Confirm
        title={`Revoke ${name}`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        words="Revoke"
        action={action}
      >
        <p>
          Every gateway refuses it within 5 seconds and closes what it has open. It cannot be undone. Keys
          that it has made live on; the audit log names them.
        </p>
        {isOwn && <p class="field-error">You are logged in with this key: you will be logged out.</p>}
      </Confirm>
    </>
  )
}
