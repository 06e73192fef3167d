import type { ConsumerFigures } from '@sekali/client'
import { Card, Empty } from '../components/basics.tsx'
import { Name } from '../components/name.tsx'
import { type Column, Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { countText } from '../text/words.ts'

const columns: readonly Column<ConsumerFigures>[] = [
  { id: 'name', label: 'Consumer', cell: ({ name }) => <Name of={name} /> },
  { id: 'turns', label: 'Turns', align: 'end', cell: ({ turns }) => countText(turns) },
  {
    id: 'last',
    label: 'Last turn',
    align: 'end',
    cell: ({ last_turn_at: at }) => (at === null ? 'none yet' : <Time at={at} />),
  },
  {
    id: 'since',
    label: 'At work since',
    align: 'end',
    wide: true,
    cell: ({ started_at: at }) => <Time at={at} />,
  },
]

/** Who stores events, and when each last did. */
export function Consumers({ consumers }: { consumers: readonly ConsumerFigures[] | null | undefined }) {
  return (
    <Card title="Consumers and their turns" aside={consumers ? `${consumers.length} at work` : 'unknown now'}>
      {consumers?.length === 0 && (
        <Empty title="No consumer is at work">
          Events are accepted and wait. Start one: <code>node apps/consumer/src/main.ts</code>, or{' '}
          <code>npm start</code>
        </Empty>
      )}
      {consumers && consumers.length > 0 && (
        <Table caption="Consumers" columns={columns} rows={consumers} keyOf={({ name }) => name} />
      )}
    </Card>
  )
}
