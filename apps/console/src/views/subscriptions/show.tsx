import type { PullSubscription, PushSubscription, Subscription } from '@sekali/client/operate'
import type { ComponentChildren } from 'preact'
import { Badge, Banner, Card, PageHead } from '../../components/basics.tsx'
import { Details, Facts } from '../../components/facts.tsx'
import { Name } from '../../components/name.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { Time } from '../../components/time.tsx'
import { getJson, pathOf } from '../../http/call.ts'
import { usePolled } from '../../http/poll.ts'
import { linkTo } from '../../routing/url.ts'
import { Allowed } from '../../session/allowed.tsx'
import { countText, plural } from '../../text/words.ts'
import type { View, ViewProps } from '../view.ts'
import { EndpointActions, EndpointCards, EndpointTrouble } from './endpoint/endpoint.tsx'
import { PauseButton } from './pause.tsx'
import { SeekButton } from './seek.tsx'
import { lagText, orderWords, successText, tones } from './subscription.ts'

export const subscriptionView: View = {
  path: 'subscriptions/:name',
  shapes: { name: /^[\w-]+(\.[\w-]+)*$/ },
  title: ({ name }) => `Subscription ${name}`,
  component: ShownSubscription,
  scope: 'read',
}

function ShownSubscription({ params: { name = '' } }: ViewProps) {
  const path = pathOf(['subscriptions', name])
  const { data, problem, refresh } = usePolled(path, (signal) => getJson<Subscription>(path, signal))
  return (
    <>
      <PageHead title={name}>
        {data && (
          <Allowed scope="admin" what="Pausing and seeking">
            {data.kind === 'push' && <EndpointActions name={name} onChanged={refresh} />}
            <SeekButton name={name} onMoved={refresh} />
            <PauseButton subscription={data} onChanged={refresh} />
          </Allowed>
        )}
      </PageHead>
      <ProblemBanner problem={problem} title="The subscription could not be read" />
      {data && (
        <div class="stack">
          {data.kind === 'push' && <EndpointTrouble subscription={data} />}
          <Blocked subscription={data} />
          <HowItIs subscription={data} />
          <WhatItIs subscription={data} />
          {data.kind === 'push' && <EndpointCards subscription={data} onChanged={refresh} />}
        </div>
      )}
    </>
  )
}

function Blocked({ subscription: { blocked, name } }: { subscription: Subscription }) {
  if (blocked.length === 0) return null
  return (
    <Banner tone="problem" title="Nothing goes on behind a dead letter">
      <ul class="rows">
        {blocked.map(({ topic, source }) => (
          <li key={`${topic} ${source}`}>
            {source === undefined ? (
              'The whole topic '
            ) : (
              <>
                Source <Name of={source} /> of{' '}
              </>
            )}
            <a href={linkTo(['topics', topic])}>
              <bdi>{topic}</bdi>
            </a>
          </li>
        ))}
      </ul>
      <p>
        Redrive or discard <a href={linkTo(['dead-letters'], { subscription: name })}>its dead letters</a>.
      </p>
    </Banner>
  )
}

function HowItIs({ subscription }: { subscription: Subscription }) {
  const { name, state, outstanding, retrying, waiting, dead, oldest_unsettled_at: oldest } = subscription
  return (
    <Card title="How it is" aside={<Badge tone={tones[state]}>{state}</Badge>}>
      <Facts
        label="Its figures"
        facts={[
          { label: 'Lag', value: lagText(subscription) },
          {
            label: subscription.kind === 'push' ? 'On their way' : 'With workers',
            value: countText(outstanding),
          },
          { label: 'Again later', value: countText(retrying) },
          subscription.kind === 'push'
            ? { label: 'Delivered', value: successText(subscription) }
            : { label: 'Wait for others', value: countText(waiting) },
          {
            label: 'Dead letters',
            value: countText(dead),
            tone: dead > 0 ? 'warning' : undefined,
            href: linkTo(['dead-letters'], { subscription: name }),
          },
          { label: 'Oldest unsettled', value: oldest === null ? 'none' : <Time at={oldest} /> },
        ]}
      />
    </Card>
  )
}

function WhatItIs({ subscription }: { subscription: Subscription }) {
  const { topics, order, filter, created_by, created_at } = subscription
  return (
    <Card title="What it is">
      <Details
        rows={[
          ['Topics', <Name key="topics" of={topics} />],
          ['Order', orderWords[order]],
          filter?.sources !== undefined && ['Sources', <Name key="sources" of={filter.sources.join(', ')} />],
          filter?.payload !== undefined && [
            'Payload',
            <code key="payload">
              <Name of={JSON.stringify(filter.payload)} />
            </code>,
          ],
          ...(subscription.kind === 'push' ? pushRows(subscription) : pullRows(subscription)),
          [
            'Made',
            <span key="made">
              <Time at={created_at} /> by <Name of={created_by} />
            </span>,
          ],
        ]}
      />
    </Card>
  )
}

type Row = readonly [name: string, value: ComponentChildren]

const behind: Readonly<Record<Subscription['on_exhausted'], string>> = {
  skip: 'all goes on',
  block: 'its source or topic stands',
  stop: 'the endpoint is disabled',
}

const pullRows = (one: PullSubscription): Row[] => [
  ['Lease', `${one.lease_s} s`],
  ['With workers at most', plural(one.outstanding_max, 'event')],
  ['Attempts at most', countText(one.deliveries_max)],
  ['Waits between them', one.backoff_s.length === 0 ? 'none' : `${one.backoff_s.join(', ')} s`],
  ['Behind a dead letter', behind[one.on_exhausted]],
]

const pushRows = (one: PushSubscription): Row[] => [
  ...(one.waiting > 0 ? [['Wait for others', plural(one.waiting, 'event')] as const] : []),
  ['Sent to', <Name key="url" of={one.url} />],
  ['Body', one.body === 'event' ? 'the event' : 'type, timestamp and data (Standard Webhooks)'],
  ...(one.batch_max > 1 ? [['Events in a request', `at most ${countText(one.batch_max)}`] as const] : []),
  [
    'Headers',
    one.header_names.length === 0 ? 'none of yours' : <Name key="headers" of={one.header_names.join(', ')} />,
  ],
  ['Requests at a time', countText(one.concurrency)],
  ['Requests a second', one.rate_per_s === null ? 'as many as come' : `at most ${countText(one.rate_per_s)}`],
  ['Time for an answer', `${one.timeout_s} s`],
  ['Waits between attempts', one.retry_s.length === 0 ? 'one attempt' : `${one.retry_s.join(', ')} s`],
  ['After the last one', `a dead letter, and ${behind[one.on_exhausted]}`],
]
