import type { ProjectionInfo } from '@sekali/client'
import { useState } from 'preact/hooks'
import { Badge, Button, Card, Empty, PageHead } from '../../components/basics.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { Details } from '../../components/facts.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { announce } from '../../components/toast.tsx'
import { call, getJson, pathOf } from '../../http/call.ts'
import { usePolled } from '../../http/poll.ts'
import { useAction } from '../../http/use-action.ts'
import { goTo } from '../../routing/route.ts'
import { linkTo } from '../../routing/url.ts'
import { Allowed } from '../../session/allowed.tsx'
import { countText, plural } from '../../text/words.ts'
import type { View, ViewProps } from '../view.ts'
import { statusWords, tones } from './projection.ts'
import { RebuildProgress } from './rebuild.tsx'
import { States } from './states.tsx'
import { Troubles } from './trouble.tsx'

export const projectionView: View = {
  path: 'projections/:name',
  shapes: { name: /^[\w-]+$/ },
  title: ({ name }) => `Projection ${name}`,
  component: ShownProjection,
  scope: 'read',
}

/** A rebuild of a small log is over in seconds. */
const buildingMs = 1_000

function ShownProjection({ params: { name = '' } }: ViewProps) {
  const [isBuilding, setBuilding] = useState(false)
  const { data, problem, refresh } = usePolled(
    'projections',
    (signal) => getJson<ProjectionInfo[]>('projections', signal),
    isBuilding ? { everyMs: buildingMs } : {},
  )
  const projection = data?.find((one) => one.name === name)
  const isNow = projection?.status === 'building' || projection?.rebuild?.status === 'building'
  if (isNow !== isBuilding) setBuilding(isNow)
  return (
    <>
      <PageHead title={name}>
        {projection && (
          <Allowed scope="admin" what="Rebuilding and dropping">
            <Drop name={name} />
            <RebuildButton name={name} onBegun={refresh} />
          </Allowed>
        )}
      </PageHead>
      <ProblemBanner problem={problem} title="The projection could not be read" />
      {data && !projection && (
        <Empty title="There is no such projection, or your key may not see it.">
          <a href="#/projections">All projections</a>
        </Empty>
      )}
      {projection && (
        <div class="stack">
          <Troubles projection={projection} />
          <RebuildProgress projection={projection} />
          <div class="columns">
            <HowItIs projection={projection} />
            <AsOf of={projection.as_of} />
          </div>
          <States name={name} isKeyed={projection.keyed} />
        </div>
      )}
    </>
  )
}

function HowItIs({ projection: { status, version, lag, keyed } }: { projection: ProjectionInfo }) {
  return (
    <Card title="How it is">
      <Details
        rows={[
          ['Status', <Badge tone={tones[status]}>{statusWords[status]}</Badge>],
          ['Lag', plural(lag, 'event')],
          ['Version', String(version)],
          ['State', keyed ? 'one for each key' : 'one'],
        ]}
      />
    </Card>
  )
}

/** Topics that are shown at first. */
const topicsMax = 12

/** Up to which event of each topic the state counts. */
function AsOf({ of }: { of: ProjectionInfo['as_of'] }) {
  const [isWhole, setWhole] = useState(false)
  const topics = Object.entries(of ?? {})
  const shown = isWhole ? topics : topics.slice(0, topicsMax)
  return (
    <Card
      title="Counts up to"
      aside={of === null ? 'more than 1,000 topics' : plural(topics.length, 'topic')}
    >
      <ul class="rows">
        {shown.map(([topic, seq]) => (
          <li key={topic} class="apart">
            <a class="cut" href={linkTo(['topics', topic])}>
              <bdi>{topic}</bdi>
            </a>
            <span>seq {countText(seq)}</span>
          </li>
        ))}
      </ul>
      {shown.length < topics.length && (
        <Button kind="quiet" onClick={() => setWhole(true)}>
          {plural(topics.length - shown.length, 'more', 'more')}
        </Button>
      )}
    </Card>
  )
}

function RebuildButton({ name, onBegun }: { name: string; onBegun: () => void }) {
  const [isOpen, setOpen] = useState(false)
  const action = useAction(async () => {
    await call(pathOf(['projections', name, 'rebuild']), { method: 'POST' })
    announce(`${name} is being rebuilt`)
    setOpen(false)
    onBegun()
  })
  return (
    <>
      <Button kind="primary" onClick={() => setOpen(true)}>
        Rebuild…
      </Button>
      <Confirm
        title={`Rebuild ${name}`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        words="Rebuild"
        kind="primary"
        action={action}
      >
        <p>
          It is folded anew from the first event on, beside the state that is shown. Readers see no gap: the
          new one takes the place of the old one once it is level.
        </p>
      </Confirm>
    </>
  )
}

function Drop({ name }: { name: string }) {
  const [isOpen, setOpen] = useState(false)
  const action = useAction(async () => {
    await call(pathOf(['projections', name]), { method: 'DELETE' })
    announce(`${name} is dropped`)
    setOpen(false)
    goTo(linkTo(['projections']))
  })
  return (
    <>
      <Button kind="danger" onClick={() => setOpen(true)}>
        Drop…
      </Button>
      <Confirm
        title={`Drop ${name}`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        words="Drop"
        action={action}
      >
        <p>
          Its states are deleted. The log keeps its events, so its definition would fold them anew. Only one
          that no projector has folded for a minute can be dropped: remove its file first.
        </p>
      </Confirm>
    </>
  )
}
