/** Assertions about types: they fail when the file is compiled, not when it runs. */

/** `true` if the two types are the same one, not merely assignable to each other. */
export type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`. */
export type Expect<T extends true> = T;

/** Compiles only if `value` has exactly the type `EXPECTED`. */
export declare function exactly<EXPECTED>(): <ACTUAL>(
  value: ACTUAL,
  ...proof: Equal<ACTUAL, EXPECTED> extends true ? [] : [differs: [ACTUAL, 'is not', EXPECTED]]
) => void;
