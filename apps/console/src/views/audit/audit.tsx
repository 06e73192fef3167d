import { Empty, PageHead } from '../../components/basics.tsx'
import { Name } from '../../components/name.tsx'
import { Pager } from '../../components/pager.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { usePages } from '../../http/use-pages.ts'
import { linkTo } from '../../routing/url.ts'
import { isForAllTopics } from '../../session/session.ts'
import { visible } from '../../text/visible.ts'
import { plural } from '../../text/words.ts'
import type { View } from '../view.ts'

export const audit: View = {
  path: 'audit',
  isForAllTopics: true,
  title: () => 'Audit log',
  component: Audit,
  scope: 'admin',
  entry: { words: 'Audit log', group: 'System', icon: 'M4 2h8v12H4zM6 5h4M6 8h4M6 11h2' },
}

interface AuditEntry {
  readonly number: number
  readonly at: string
  readonly actor: string
  readonly client: string | null
  readonly action: string
  readonly target: string
  readonly details: Readonly<Record<string, unknown>>
}

function Audit() {
  return (
    <>
      <PageHead
        title="Audit log"
        lead="What administrators did. Numbers have no gap; nothing deletes an entry."
      />
      {isForAllTopics.value ? (
        <List />
      ) : (
        <p class="not-allowed">
          Reading the audit log needs a key for all topics, <code>&gt;</code>.
        </p>
      )}
    </>
  )
}

function List() {
  const { rows, problem, onMore, soFar, isBusy } = usePages<AuditEntry>(['audit'], { limit: 100 })
  return (
    <>
      <ProblemBanner problem={problem} title="The audit log could not be read" />
      {rows?.length === 0 && <Empty title="No administrator has done anything yet." />}
      {rows !== undefined && rows.length > 0 && (
        <>
          <Table
            caption="Audit log"
            columns={columns}
            rows={rows}
            keyOf={({ number }) => String(number)}
            lastWraps
          />
          <Pager
            words={`${plural(rows.length, 'entry', 'entries')}${soFar}, newest first`}
            onMore={onMore}
            busy={isBusy}
          />
        </>
      )}
    </>
  )
}

const columns: readonly Column<AuditEntry>[] = [
  { id: 'number', label: 'Number', align: 'end', cell: ({ number }) => number },
  { id: 'at', label: 'When', cell: ({ at }) => <Time at={at} /> },
  { id: 'action', label: 'What', cell: ({ action }) => action.replaceAll('_', ' ') },
  { id: 'target', label: 'To', cell: (entry) => <Target entry={entry} /> },
  { id: 'actor', label: 'By', cell: ({ actor }) => <Name of={actor} /> },
  {
    id: 'client',
    label: 'From',
    wide: true,
    cell: ({ client }) => <code>{client ?? 'the machine itself'}</code>,
  },
  {
    id: 'details',
    label: 'Details',
    wide: true,
    cell: ({ details }) => <bdi class="faint">{visible(detailsText(details))}</bdi>,
  },
]

const places: readonly (readonly [RegExp, string])[] = [
  [/^key_/, 'keys'],
  [/^letter_/, 'dead-letters'],
  [/^redrive_/, 'operations'],
  [/^projection_rebuild/, 'projections'],
]

function Target({ entry: { action, target } }: { entry: AuditEntry }) {
  const place = places.find(([actions]) => actions.test(action))?.[1]
  const text = <Name of={target} isCut />
  return place === undefined ? text : <a href={linkTo([place, target])}>{text}</a>
}

const detailsText = (details: AuditEntry['details']): string =>
  Object.entries(details)
    .map(([name, value]) => `${name}: ${wordsOf(value)}`)
    .join(' · ')

const wordsOf = (value: unknown): string => {
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
