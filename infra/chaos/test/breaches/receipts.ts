import { fact, lookupOf, soundRun, topic } from '../evidence.ts'
import { type Breach, broke, withReceipt } from './broken.ts'

/** Runs in which a receipt or a look-up contradicts the log. */
export const ofReceipts: readonly Breach[] = [
  [
    'a receipt said stored for what is not in the log',
    'receipts say what the log says',
    /a receipt said stored with seq 7, and it is not in the log/,
    () => withReceipt(fact('b', 4), { status: 'stored', seq: 7, variant: 0 }),
  ],
  [
    'a receipt said another seq',
    'receipts say what the log says',
    /duplicate with seq 2, and it is seq 1/,
    () => withReceipt(fact('a', 1), { status: 'duplicate', seq: 2, variant: 0 }),
  ],
  [
    'a receipt said duplicate of another content',
    'receipts say what the log says',
    /another content/,
    () => withReceipt(fact('a', 2), { status: 'duplicate', seq: 3, variant: 1 }),
  ],
  [
    'a receipt said conflict of the same content',
    'receipts say what the log says',
    /that very content/,
    () => withReceipt(fact('a', 1), { status: 'conflict', seq: 1, variant: 0 }),
  ],
  [
    'two receipts said stored',
    'receipts say what the log says',
    /2 receipts said/,
    () => withReceipt(fact('a', 1), { status: 'stored', seq: 1, variant: 0 }),
  ],
  [
    'all receipts said duplicate',
    'receipts say what the log says',
    /b-3: no receipt said stored/,
    () => withReceipt(fact('b', 3), { status: 'duplicate', seq: 6, variant: 0 }),
  ],
  [
    'a receipt said dead',
    'receipts say what the log says',
    /b-4: a receipt said dead/,
    () => withReceipt(fact('b', 4), { status: 'dead', seq: undefined, variant: 0 }),
  ],
  [
    'a receipt said lost, and nothing was',
    'receipts say what the log says',
    /nothing was lost/,
    () => withReceipt(fact('b', 4), { status: 'lost', seq: undefined, variant: 0 }),
  ],
  [
    'nearly all receipts said queued',
    'receipts say what the log says',
    /of 16 receipts 4 said what had come of the event/,
    () => {
      const { books, evidence } = soundRun()
      for (let i = 0; i < 11; i++)
        books.noteReceipt(fact('b', 3), { status: 'queued', seq: undefined, variant: 0 })
      return evidence
    },
  ],
  [
    'an event is not found by its id',
    'an event is found by its id',
    /a-1 was answered 404/,
    () => broke({ lookups: [{ topic, id: 'a-1', status: 404, body: '{"code":"unknown_event"}' }] }),
  ],
  [
    'an event is found by its id that is not in the log',
    'an event is found by its id',
    /b-4 was answered 200/,
    () => broke({ lookups: [lookupOf(fact('b', 4), 7)] }),
  ],
]
