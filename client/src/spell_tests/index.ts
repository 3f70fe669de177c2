/** Tests of the open spell: how they came out, and what is edited of them, without React. */
export { type Claim, claimsOf, readExpected, withoutClaim, withValue } from "./claims";
export { isOutdated, type Standing, type Tested } from "./standing";
export { type LeftOut, type MakeTest, TestDesk } from "./test_desk";
export { gapWords, OPERATORS, shownValue, standingWords, statusWords } from "./words";
