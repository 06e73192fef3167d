/** Something the user has to put right. The message says what, and how. */
export class SetUpFailed extends Error {}
