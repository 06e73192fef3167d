import type { Subscription } from '@sekali/client/operate'
import { Badge, Empty, PageHead } from '../../components/basics.tsx'
import { Name } from '../../components/name.tsx'
import { Pager } from '../../components/pager.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { type Column, Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { usePages } from '../../http/use-pages.ts'
import { linkTo } from '../../routing/url.ts'
import { countText, plural } from '../../text/words.ts'
import type { View } from '../view.ts'
import { successText, tones } from './subscription.ts'

export const subscriptionList: View = {
  path: 'subscriptions',
  title: () => 'Subscriptions',
  component: Subscriptions,
  scope: 'read',
  entry: { words: 'Subscriptions', group: 'Log', icon: 'M3 3h4v4H3zM9 9h4v4H9zM7 5h4v4M9 11H5V7' },
}

function Subscriptions() {
  const { rows, problem, onMore, soFar, isBusy } = usePages<Subscription>(['subscriptions'], { limit: 100 })
  return (
    <>
      <PageHead
        title="Subscriptions"
        lead="Events that workers share, or that are sent to endpoints, and how far they are."
      />
      <ProblemBanner problem={problem} title="The subscriptions could not be read" />
      {rows?.length === 0 && (
        <Empty title="There is no subscription.">
          <code>sekali subscription create</code> makes one: workers pull from it, or with <code>--to</code>{' '}
          its events are sent to a URL.
        </Empty>
      )}
      {rows !== undefined && rows.length > 0 && (
        <>
          <Table
            caption="Subscriptions"
            columns={columns}
            rows={rows}
            keyOf={({ name }) => name}
            sort="name"
          />
          <Pager words={`${plural(rows.length, 'subscription')}${soFar}`} onMore={onMore} busy={isBusy} />
        </>
      )}
    </>
  )
}

const figure = (
  id: 'outstanding' | 'retrying' | 'dead',
  label: string,
  wide = false,
): Column<Subscription> => ({
  id,
  label,
  align: 'end',
  wide,
  by: (one) => one[id],
  cell: (one) => countText(one[id]),
})

const columns: readonly Column<Subscription>[] = [
  {
    id: 'name',
    label: 'Subscription',
    by: ({ name }) => name,
    cell: ({ name }) => <a href={linkTo(['subscriptions', name])}>{name}</a>,
  },
  {
    id: 'state',
    label: 'State',
    by: ({ state }) => state,
    cell: ({ state, blocked }) => (
      <span class="badges">
        <Badge tone={tones[state]}>{state}</Badge>
        {blocked.length > 0 && <Badge tone="problem">blocked</Badge>}
      </span>
    ),
  },
  {
    id: 'kind',
    label: 'Goes to',
    by: (one) => (one.kind === 'push' ? one.url : ''),
    cell: (one) => (one.kind === 'push' ? <Name of={one.url} isCut /> : 'workers'),
  },
  { id: 'topics', label: 'Topics', wide: true, cell: ({ topics }) => <Name of={topics} isCut /> },
  {
    id: 'lag',
    label: 'Lag, events',
    align: 'end',
    by: ({ lag }) => lag,
    cell: ({ lag, lag_is_bound }) => `${lag_is_bound && lag > 0 ? '≤ ' : ''}${countText(lag)}`,
  },
  {
    id: 'success',
    label: 'Delivered',
    align: 'end',
    wide: true,
    by: (one) => (one.kind === 'push' ? one.success_rate : null),
    cell: (one) => (one.kind === 'push' ? successText(one) : '–'),
  },
  figure('outstanding', 'Outstanding'),
  figure('retrying', 'Again later', true),
  figure('dead', 'Dead'),
  {
    id: 'oldest',
    label: 'Oldest unsettled',
    align: 'end',
    wide: true,
    by: ({ oldest_unsettled_at: at }) => at,
    cell: ({ oldest_unsettled_at: at }) => (at === null ? '–' : <Time at={at} />),
  },
]
