// SPDX-License-Identifier: MPL-2.0
/** Comes without types of its own. */
declare module "oidc-provider";
