/** What was sent, and what came back. */
import type { Attempt } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Badge, Button, Card, Empty } from '../../../components/basics.tsx'
import { Choice } from '../../../components/field.tsx'
import { Name } from '../../../components/name.tsx'
import { Pager } from '../../../components/pager.tsx'
import { ProblemBanner } from '../../../components/problem-banner.tsx'
import { type Column, Table } from '../../../components/table.tsx'
import { Time } from '../../../components/time.tsx'
import { usePages } from '../../../http/use-pages.ts'
import { countText, plural } from '../../../text/words.ts'
import { AttemptDialog } from './attempt.tsx'

const choices = [
  ['', 'all'],
  ['failed', 'failed'],
  ['delivered', 'delivered'],
] as const

export function Attempts({ name }: { name: string }) {
  const [state, setState] = useState('')
  const [shown, setShown] = useState<Attempt>()
  const query = { limit: 25, state: state || undefined }
  const { rows, problem, onMore, soFar, isBusy, refresh } = usePages<Attempt>(
    ['subscriptions', name, 'attempts'],
    query,
  )
  return (
    <Card title="Attempts" aside={<Choice label="Show" value={state} onValue={setState} choices={choices} />}>
      <ProblemBanner problem={problem} title="The attempts could not be read" />
      {rows?.length === 0 && <Empty title="There is none.">They are kept for 30 days.</Empty>}
      {rows !== undefined && rows.length > 0 && (
        <>
          <Table
            caption="Attempts"
            columns={columnsWith(setShown)}
            rows={rows}
            keyOf={({ id }) => String(id)}
          />
          <Pager
            words={`${plural(rows.length, 'attempt')}${soFar}, newest first`}
            onMore={onMore}
            busy={isBusy}
          />
        </>
      )}
      <AttemptDialog
        name={name}
        attempt={shown}
        onClose={() => {
          setShown(undefined)
          refresh()
        }}
      />
    </Card>
  )
}

const columnsWith = (onShow: (attempt: Attempt) => void): readonly Column<Attempt>[] => [
  { id: 'at', label: 'At', cell: ({ at }) => <Time at={at} /> },
  { id: 'event', label: 'Event', cell: (one) => <Event of={one} /> },
  {
    id: 'state',
    label: 'Outcome',
    cell: ({ state, status, error }) => (
      <span class="badges">
        <Badge tone={state === 'delivered' ? 'ok' : 'problem'}>{state}</Badge>
        {error ?? status}
      </span>
    ),
  },
  { id: 'attempt', label: 'Attempt', align: 'end', wide: true, cell: ({ attempt }) => countText(attempt) },
  {
    id: 'duration',
    label: 'Took',
    align: 'end',
    wide: true,
    cell: ({ duration_ms: ms }) => `${countText(ms)} ms`,
  },
  {
    id: 'look',
    label: '',
    align: 'end',
    cell: (one) => (
      <Button kind="quiet" aria-label={`Look at attempt ${one.id}`} onClick={() => onShow(one)}>
        Look
      </Button>
    ),
  },
]

function Event({ of: { topic, seq, kind } }: { of: Attempt }) {
  if (topic === null) return <>{kind === 'test' ? 'a test' : 'a probe'}</>
  return (
    <>
      <Name of={`${topic} ${seq}`} />
      {kind === 'event' ? '' : `, a ${kind}`}
    </>
  )
}
