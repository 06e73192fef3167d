// Ways to break the keys of event ids, the tags of contents, and the upgrade to them.
import type { Mutant } from './mutant.ts'

export const eventKeyMutants: readonly Mutant[] = [
  {
    name: 'key-without-id',
    breaks: 'an id that has the key of another one is taken for it',
    edits: [
      {
        file: 'packages/store/src/turn/known.ts',
        find: 'if (event_id !== one.eventId || Number(topic_id) !== one.turn.topicId) throw new KeyCollision()',
        replace: '',
      },
    ],
    test: { project: 'store', file: 'key-collision', name: 'is no repeat of it' },
  },
  {
    name: 'tag-ignored',
    breaks: 'whatever comes under a known id counts as a duplicate',
    edits: [
      { file: 'packages/store/src/turn/known.ts', find: 'return isSame ?? false', replace: 'return true' },
    ],
    test: { project: 'store', file: 'commit', name: 'another content under a known id' },
  },
  {
    name: 'backfill-skips',
    breaks: 'the upgrade leaves the last event of each span without a key',
    edits: [
      {
        file: 'packages/store/src/keys/fill.ts',
        find: 'seq > $2 AND seq <= $3',
        replace: 'seq > $2 AND seq < $3',
      },
    ],
    test: { project: 'store', file: 'key-upgrade', name: 'gives every event its key' },
  },
  {
    name: 'keys-beside-older',
    breaks: 'the upgrade ends while processes of the version before run',
    edits: [
      {
        file: 'packages/store/src/keys/upgrade.ts',
        find: ' && state.older.length === 0',
        replace: '',
      },
      {
        file: 'packages/store/src/keys/upgrade.ts',
        find: 'return (await readKeysState(client)).older.length === 0',
        replace: 'return true',
      },
    ],
    test: { project: 'store', file: 'key-upgrade', name: 'go on until the last step' },
  },
]
