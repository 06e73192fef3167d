import type { Operation } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Badge, Empty, PageHead } from '../../components/basics.tsx'
import { Pager } from '../../components/pager.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { Progress } from '../../components/progress.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { pollMs } from '../../http/poll.ts'
import { usePages } from '../../http/use-pages.ts'
import { linkTo } from '../../routing/url.ts'
import { plural } from '../../text/words.ts'
import { FilterWords } from '../letters/redrive.tsx'
import type { View } from '../view.ts'
import { runningMs, tones } from './operation.ts'

export const operationList: View = {
  path: 'operations',
  title: () => 'Operations',
  component: Operations,
  scope: 'admin',
  entry: { words: 'Operations', group: 'Mend', icon: 'M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3' },
}

function Operations() {
  const [everyMs, setEveryMs] = useState(pollMs)
  const { rows, problem, onMore, soFar, isBusy } = usePages<Operation>(
    ['operations'],
    { limit: 50 },
    { everyMs },
  )
  const wantedMs = rows?.some(({ state }) => state === 'running') ? runningMs : pollMs
  if (wantedMs !== everyMs) setEveryMs(wantedMs)
  return (
    <>
      <PageHead title="Operations" lead="What takes long and goes on by itself, whichever gateway dies." />
      <ProblemBanner problem={problem} title="The operations could not be read" />
      {rows?.length === 0 && (
        <Empty title="There was no operation yet.">
          A redrive of <a href="#/dead-letters">dead letters</a> makes one.
        </Empty>
      )}
      {rows !== undefined && rows.length > 0 && (
        <>
          <Table caption="Operations" columns={columns} rows={rows} keyOf={({ id }) => String(id)} />
          <Pager
            words={`${plural(rows.length, 'operation')}${soFar}, newest first`}
            onMore={onMore}
            busy={isBusy}
          />
        </>
      )}
    </>
  )
}

const columns: readonly Column<Operation>[] = [
  {
    id: 'operation',
    label: 'Operation',
    cell: ({ id, kind }) => (
      <a href={linkTo(['operations', String(id)])}>
        {kind} {id}
      </a>
    ),
  },
  { id: 'state', label: 'State', cell: ({ state }) => <Badge tone={tones[state]}>{state}</Badge> },
  {
    id: 'progress',
    label: 'Progress',
    cell: ({ id, done, matched }) => <Progress done={done} of={matched} label={`Operation ${id}`} />,
  },
  { id: 'of', label: 'Of', wide: true, cell: ({ filter }) => <FilterWords filter={filter} /> },
  { id: 'by', label: 'By', wide: true, cell: ({ created_by }) => <code>{created_by}</code> },
  { id: 'begun', label: 'Begun', align: 'end', cell: ({ created_at }) => <Time at={created_at} /> },
]
