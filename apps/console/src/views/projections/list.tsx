import type { ProjectionInfo } from '@sekali/client'
import { Badge, Card, Empty, PageHead } from '../../components/basics.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { getJson } from '../../http/call.ts'
import { usePolled } from '../../http/poll.ts'
import { linkTo } from '../../routing/url.ts'
import { visible } from '../../text/visible.ts'
import { countText } from '../../text/words.ts'
import type { View } from '../view.ts'
import { isOfEvent, statusWords, tones } from './projection.ts'

export const projectionList: View = {
  path: 'projections',
  title: () => 'Projections',
  component: Projections,
  scope: 'read',
  entry: { words: 'Projections', group: 'Log', icon: 'M3 3h10L9 8.5V13l-2-1.5v-3z' },
}

function Projections() {
  const { data, problem } = usePolled('projections', (signal) =>
    getJson<ProjectionInfo[]>('projections', signal),
  )
  const loaded = data?.filter(({ status }) => status !== 'not_loaded') ?? []
  const files = data?.filter(({ status }) => status === 'not_loaded') ?? []
  return (
    <>
      <PageHead title="Projections" lead="State that is folded from the log, and how far each is." />
      <ProblemBanner problem={problem} title="The projections could not be read" />
      <div class="stack">
        {files.length > 0 && <NotLoaded files={files} />}
        {data && loaded.length === 0 && (
          <Empty title="There is no projection.">
            A projector folds those of its folder; <code>sekali projection</code> says more.
          </Empty>
        )}
        {loaded.length > 0 && (
          <Table
            caption="Projections"
            columns={columns}
            rows={loaded}
            keyOf={({ name }) => name}
            sort="name"
          />
        )}
      </div>
    </>
  )
}

/** Files are read again by themselves, so this card goes once they are mended. */
function NotLoaded({ files }: { files: readonly ProjectionInfo[] }) {
  return (
    <Card title="Definitions that do not load" class="edge tone-problem">
      <ul class="rows">
        {files.map(({ name, error }) => (
          <li key={name}>
            <strong class="mono">
              <bdi>{visible(name)}</bdi>
              {error && !isOfEvent(error) && error.line !== undefined && ` line ${error.line}`}
            </strong>{' '}
            <bdi class="mono">{visible(error?.message ?? '')}</bdi>
          </li>
        ))}
      </ul>
      <p class="faint">A projector reads a file again once it has changed.</p>
    </Card>
  )
}

const columns: readonly Column<ProjectionInfo>[] = [
  {
    id: 'name',
    label: 'Projection',
    by: ({ name }) => name,
    cell: ({ name }) => <a href={linkTo(['projections', name])}>{name}</a>,
  },
  {
    id: 'status',
    label: 'Status',
    by: ({ status }) => status,
    cell: ({ status, rebuild, skipped }) => (
      <span class="badges">
        <Badge tone={tones[status]}>{statusWords[status]}</Badge>
        {rebuild && (
          <Badge tone={rebuild.status === 'failed' ? 'problem' : 'accent'}>
            {rebuild.status === 'failed' ? 'rebuild failed' : 'being rebuilt'}
          </Badge>
        )}
        {skipped && <Badge tone="warning">{countText(skipped.count)} left out</Badge>}
      </span>
    ),
  },
  { id: 'lag', label: 'Lag, events', align: 'end', by: ({ lag }) => lag, cell: ({ lag }) => countText(lag) },
  {
    id: 'topics',
    label: 'Topics',
    align: 'end',
    wide: true,
    by: ({ as_of }) => (as_of === null ? null : Object.keys(as_of).length),
    cell: ({ as_of }) => (as_of === null ? 'more than 1,000' : countText(Object.keys(as_of).length)),
  },
  {
    id: 'version',
    label: 'Version',
    align: 'end',
    wide: true,
    by: ({ version }) => version,
    cell: ({ version }) => version,
  },
]
