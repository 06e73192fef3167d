import { uniformInt } from 'pure-rand/distribution/uniformInt'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

type Payload = Record<string, unknown>

/** The topics of the report, each with a payload as small and as plain as such events are. */
const payloads: Record<string, (random: RandomGenerator) => Payload> = {
  payment: (random) => ({
    payment_id: `PAY-${uniformInt(random, 100_000, 999_999)}`,
    amount: uniformInt(random, 10, 5_000) * 1_000,
    currency: 'IDR',
    method: oneOf(random, ['qris', 'gopay', 'bank-transfer', 'card']),
  }),
  order: (random) => ({
    order_id: `ORD-${uniformInt(random, 100_000, 999_999)}`,
    items: [{ sku: `SKU-${uniformInt(random, 1, 500)}`, quantity: uniformInt(random, 1, 5) }],
    express: uniformInt(random, 0, 3) === 0,
  }),
  'user-login': (random) => ({
    user: `user-${uniformInt(random, 1, 10_000)}`,
    ip: `10.${uniformInt(random, 0, 255)}.${uniformInt(random, 0, 255)}.${uniformInt(random, 1, 254)}`,
    success: uniformInt(random, 0, 19) > 0,
  }),
  'sensor-suhu': (random) => ({
    celsius: uniformInt(random, 180, 420) / 10,
    humidity_percent: uniformInt(random, 30, 99),
    room: `room-${uniformInt(random, 1, 12)}`,
  }),
  notifikasi: (random) => ({
    channel: oneOf(random, ['push', 'email', 'sms']),
    user: `user-${uniformInt(random, 1, 10_000)}`,
    text: oneOf(random, ['Pesanan dikirim', 'Pembayaran diterima', 'Selamat datang', 'Suhu terlalu tinggi']),
  }),
}

export const reportTopics = Object.keys(payloads)

/** The payload of one event; a topic that is not the report's gets a reading like a sensor's. */
export function payloadFor(topic: string, sourceSeq: number, random: RandomGenerator): Payload {
  const generate = payloads[topic] ?? ((random) => ({ value: uniformInt(random, 0, 1_000_000) / 1_000 }))
  return { source_seq: sourceSeq, ...generate(random) }
}

function oneOf(random: RandomGenerator, values: readonly string[]): string {
  return values[uniformInt(random, 0, values.length - 1)] as string
}
