// Ways to let a definition reach what is not its own, or decide what is in a state.
import type { Mutant } from './mutant.ts'

export const definitionMutants: readonly Mutant[] = [
  {
    name: 'names-unlocked',
    breaks:
      'a definition gives JSON or Map another meaning, for all other definitions and for the fold itself',
    edits: [
      {
        file: 'apps/projector/src/confined/lock-globals.ts',
        find: 'lockReachable([globalThis, ...modules], [process])',
        replace: 'lockReachable(modules, [process, globalThis])',
      },
    ],
    test: { project: 'projector', file: 'test/tampering', name: 'changes what all are made of' },
  },
  {
    name: 'names-kept-in-namespace',
    breaks:
      "a definition imports from node:process what was taken from it, and with it all of Node's modules",
    edits: [
      {
        file: 'apps/projector/src/confined/lock-globals.ts',
        find: '  syncBuiltinESMExports()\n',
        replace: '',
      },
    ],
    test: { project: 'projector', file: 'test/confined', name: 'sees no environment' },
  },
  {
    name: 'any-module-of-node',
    breaks: "definitions import all of Node's modules",
    edits: [
      {
        file: 'apps/projector/src/confined/guard-imports.ts',
        find: 'if (isBuiltin(resolved.url) &&',
        replace: "if (specifier === '' &&",
      },
    ],
    test: { project: 'projector', file: 'test/confined', name: 'sees no environment' },
  },
  {
    name: 'environment-inherited',
    breaks: "definitions see the projector's environment, with its passwords",
    edits: [
      { file: 'apps/projector/src/confined/fold-process.ts', find: 'env: {},', replace: 'env: process.env,' },
    ],
    test: { project: 'projector', file: 'test/confined', name: 'sees no environment' },
  },
  {
    name: 'permission-forgotten',
    breaks: 'definitions read and write files',
    edits: [{ file: 'apps/projector/src/confined/confinement.ts', find: "  '--permission',\n", replace: '' }],
    test: { project: 'projector', file: 'test/confined', name: 'sees no environment' },
  },
  {
    name: 'spoilt-state-kept',
    breaks: 'what an event changed before it threw stays in the state',
    edits: [
      {
        file: 'packages/projection/src/fold.ts',
        find: 'if (spoilt && !undo(projection, spoilt))',
        replace: 'if (spoilt?.isNew === undefined && events.length < 0)',
      },
    ],
    test: { project: 'projection', file: 'fold-skip', name: 'may skip what throws' },
  },
  {
    name: 'machine-decides',
    breaks: 'an event is skipped because the stack or the memory was too small for it here',
    edits: [
      {
        file: 'packages/projection/src/fold.ts',
        find: "return onError === 'skip' && !isOfTheMachine",
        replace: "return onError === 'skip' || isOfTheMachine",
      },
    ],
    test: { project: 'projection', file: 'fold-skip', name: 'is never skipped' },
  },
]
