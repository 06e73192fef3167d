import { Badge, Empty, PageHead } from '../../components/basics.tsx'
import { Name } from '../../components/name.tsx'
import { Pager } from '../../components/pager.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { usePages } from '../../http/use-pages.ts'
import { linkTo } from '../../routing/url.ts'
import { session } from '../../session/session.ts'
import { plural } from '../../text/words.ts'
import type { View } from '../view.ts'
import { type Key, tones } from './key.ts'
import { KeysAreOff } from './keys-are-off.tsx'

export const keyList: View = {
  path: 'keys',
  title: () => 'Keys',
  component: Keys,
  scope: 'admin',
  entry: {
    words: 'Keys',
    group: 'System',
    icon: 'M8.3 7.7 3 13M4.6 11.4 6.2 13M13 5.5a2.75 2.75 0 1 1-5.5 0 2.75 2.75 0 0 1 5.5 0',
  },
}

function Keys() {
  const isOff = session.value?.auth === 'off'
  return (
    <>
      <PageHead title="Keys" lead="Who may publish, read and administer.">
        {!isOff && (
          <>
            <a class="button" href="#/audit">
              Audit log
            </a>
            <a class="button primary" href="#/keys/new">
              Make a key
            </a>
          </>
        )}
      </PageHead>
      {isOff && <KeysAreOff />}
      <List isOff={isOff} />
    </>
  )
}

function List({ isOff }: { isOff: boolean }) {
  const { rows, problem, onMore, soFar, isBusy } = usePages<Key>(['keys'], { limit: 100 })
  return (
    <>
      <ProblemBanner problem={problem} title="The keys could not be read" />
      {rows?.length === 0 && !isOff && <Empty title="There is no key that you may see." />}
      {rows !== undefined && rows.length > 0 && (
        <>
          <Table caption="Keys" columns={columns} rows={rows} keyOf={({ id }) => id} />
          <Pager
            words={`${plural(rows.length, 'key')}${soFar}, oldest first`}
            onMore={onMore}
            busy={isBusy}
          />
        </>
      )}
    </>
  )
}

const columns: readonly Column<Key>[] = [
  {
    id: 'name',
    label: 'Name',
    by: ({ name }) => name,
    cell: ({ id, name }) => (
      <a href={linkTo(['keys', id])}>
        <Name of={name} />
      </a>
    ),
  },
  {
    id: 'status',
    label: 'Status',
    by: ({ status }) => status,
    cell: ({ status }) => <Badge tone={tones[status]}>{status}</Badge>,
  },
  { id: 'scopes', label: 'Scopes', cell: ({ scopes }) => scopes.join(', ') },
  {
    id: 'topics',
    label: 'Topics',
    wide: true,
    cell: ({ topics }) => <span class="cut mono">{topics.join(' ')}</span>,
  },
  { id: 'id', label: 'Id', wide: true, cell: ({ id }) => <code>{id}</code> },
  {
    id: 'used',
    label: 'Last used',
    align: 'end',
    wide: true,
    by: ({ last_used_at }) => last_used_at,
    cell: ({ last_used_at }) => (last_used_at === null ? 'never' : <Time at={last_used_at} />),
  },
  {
    id: 'ends',
    label: 'Ends',
    align: 'end',
    by: ({ expires_at }) => expires_at,
    cell: ({ expires_at, revoked_at }) =>
      revoked_at !== null ? 'revoked' : expires_at === null ? 'never' : <Time at={expires_at} />,
  },
]
