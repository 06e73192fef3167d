// What docker-compose.yml says of the door, of the gateways behind it, and of the ways out.
import { expect, test } from 'vitest'
import { compose } from './compose.ts'

const services = Object.entries(compose.services)

test('the port is the door’s, and gateways are told where it is open, who may come, and whom of it to believe', () => {
  const { edge, gateway } = compose.services
  expect(edge).toMatchObject({
    ports: [`\${SEKALI_BIND:-127.0.0.1}:\${SEKALI_PORT:-8080}:8080`],
    networks: ['door', 'edge'],
  })
  expect(gateway?.ports).toBeUndefined() // more than one could not have it
  const subnet = `\${SEKALI_EDGE_SUBNET:-172.31.255.192/26}`
  expect(gateway?.environment).toMatchObject({
    SEKALI_BIND: `\${SEKALI_BIND:-127.0.0.1}`,
    SEKALI_AUTH: `\${SEKALI_AUTH:-off}`,
    TRUSTED_EDGE: subnet,
    TRUSTED_PROXIES: `\${SEKALI_TRUSTED_PROXIES:-}`,
  })
  expect(compose.networks.edge).toEqual({ internal: true, ipam: { config: [{ subnet }] } })
  // What is believed must be nobody else's address: they share that network alone, and nobody else is in it.
  const isIn = (name: string) => services.filter(([, { networks = [] }]) => networks.includes(name))
  expect(isIn('edge').map(([name]) => name)).toEqual(['edge', 'gateway'])
  const shared = gateway?.networks?.filter((name) => edge?.networks?.includes(name))
  expect(shared).toEqual(['edge'])
})

test('the dispatcher has a network to the outside of its own, and nobody who stores or folds has one', () => {
  expect(compose.services.dispatcher).toMatchObject({ networks: ['inside', 'webhooks'] })
  expect(compose.services.dispatcher?.ports).toBeUndefined()
  expect(compose.services.dispatcher?.environment).toMatchObject({ ATTEMPTS_DAYS: `\${ATTEMPTS_DAYS:-30}` })
  const closed = ['inside', 'edge'].map((name) => [name, compose.networks[name]])
  for (const [name, network] of closed) expect(network, String(name)).toMatchObject({ internal: true })
  const open = services.filter(([name, { networks = [] }]) =>
    networks.some((one) => one !== 'inside' && one !== 'edge' && name !== 'edge'),
  )
  expect(open.map(([name, { networks }]) => [name, networks])).toEqual([
    ['gateway', ['inside', 'edge', 'outside']],
    ['dispatcher', ['inside', 'webhooks']],
    ['prometheus', ['inside', 'door']],
    ['grafana', ['inside', 'door']],
  ])
})
