import type { Letter } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Badge, Button, Empty, PageHead } from '../../components/basics.tsx'
import { Name } from '../../components/name.tsx'
import { Pager } from '../../components/pager.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { usePages } from '../../http/use-pages.ts'
import { route } from '../../routing/route.ts'
import { linkTo } from '../../routing/url.ts'
import { Allowed } from '../../session/allowed.tsx'
import { ownPatterns } from '../../session/session.ts'
import { plural } from '../../text/words.ts'
import type { View } from '../view.ts'
import { LetterFilters } from './filters.tsx'
import { kindWords, reasonWords, stateWords } from './letter.ts'
import { RedriveDialog } from './redrive.tsx'

export const letterList: View = {
  path: 'dead-letters',
  title: () => 'Dead letters and conflicts',
  component: Letters,
  scope: 'read',
  entry: {
    words: 'Dead letters',
    group: 'Mend',
    icon: 'M2 4h12v9H2zM2 4l6 5 6-5',
  },
}

function Letters() {
  const query = Object.fromEntries(route.value.query)
  const { kind, topic, subscription, reason, from, to, state } = query
  const filter = { kind, topic, subscription, reason, from, to, state }
  const { rows, problem, onMore, soFar, isBusy, refresh } = usePages<Letter>(['dead-letters'], {
    limit: 100,
    ...filter,
  })
  const [isRedriving, setRedriving] = useState(false)
  // Deliveries are redriven by subscription
  const wanted = subscription === undefined ? 'entry' : 'delivery'
  const canRedrive = (kind ?? wanted) === wanted && (state ?? 'open') === 'open'
  // Conflicts, and letters of which nothing is kept, cannot be redriven; what is on further pages may be
  const mayMatch = onMore !== undefined || rows?.some(({ kind, kept }) => kind === wanted && kept)
  return (
    <>
      <PageHead
        title="Dead letters and conflicts"
        lead="What could not be stored, what came under an id that another content has, and what workers could not do."
      >
        <Allowed scope="admin" what="Redriving">
          {canRedrive && mayMatch && (
            <Button kind="primary" onClick={() => setRedriving(true)}>
              Redrive…
            </Button>
          )}
        </Allowed>
      </PageHead>
      <LetterFilters />
      <ProblemBanner problem={problem} title="The list could not be read" />
      {rows?.length === 0 && <Nothing filter={filter} />}
      {rows !== undefined && rows.length > 0 && (
        <>
          <Table caption="Dead letters and conflicts" columns={columns} rows={rows} keyOf={({ id }) => id} />
          <Pager
            words={`${plural(rows.length, 'letter')}${soFar}, newest first`}
            onMore={onMore}
            busy={isBusy}
          />
        </>
      )}
      <RedriveDialog
        filter={{
          topic: topic ?? (subscription === undefined ? onlyPattern() : undefined),
          subscription,
          reason,
          from,
          to,
        }}
        isOpen={isRedriving}
        onClose={() => {
          setRedriving(false)
          refresh()
        }}
      />
    </>
  )
}

/** A key of one pattern redrives that one, if no topic is said: all of them together would be refused. */
const onlyPattern = () => (ownPatterns.value.length === 1 ? ownPatterns.value[0] : undefined)

/** Nothing at all is good news; nothing behind a filter need not be. */
function Nothing({ filter }: { filter: Readonly<Record<string, string | undefined>> }) {
  const isFiltered = Object.values(filter).some(Boolean)
  return isFiltered ? (
    <Empty title="No letter matches.">
      <a href={linkTo(['dead-letters'])}>Show all that are open</a>
    </Empty>
  ) : (
    <Empty title="No letter is open.">Settled ones are still there, under the state “all”.</Empty>
  )
}

const columns: readonly Column<Letter>[] = [
  {
    id: 'letter',
    label: 'Letter',
    cell: ({ id }) => <a href={linkTo(['dead-letters', id])}>{id}</a>,
  },
  {
    id: 'kind',
    label: 'Kind',
    wide: true,
    cell: ({ kind }) => <span class="nowrap">{kindWords[kind]}</span>,
  },
  {
    id: 'topic',
    label: 'Topic',
    cell: ({ topic }) => <Name of={topic} isCut />,
  },
  {
    id: 'event',
    label: 'Event id',
    cell: ({ event_id }) =>
      event_id === null ? <span class="faint">unreadable</span> : <Name of={event_id} isCut />,
  },
  {
    id: 'reason',
    label: 'Reason',
    wide: true,
    cell: ({ reason }) => (
      <span class="nowrap">
        <code>{reason}</code> <span class="faint">{reasonWords(reason)}</span>
      </span>
    ),
  },
  {
    id: 'state',
    label: 'State',
    cell: (letter) => (
      <>
        <Badge tone={letter.state === 'open' ? 'warning' : 'unknown'}>{stateWords(letter)}</Badge>
        {!letter.kept && <span class="faint"> nothing kept</span>}
      </>
    ),
  },
  {
    id: 'received',
    label: 'Received',
    align: 'end',
    wide: true,
    cell: ({ received_at }) => <Time at={received_at} />,
  },
]
