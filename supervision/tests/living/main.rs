//! The rules of supervision, proved on living actors that panic, return errors, hang, are killed, and are killed while
//! they restart. Time is tokio's, paused, unless a story needs threads.

#[cfg(test)]
mod addresses;
#[cfg(test)]
mod apart;
#[cfg(test)]
mod companions;
#[cfg(test)]
mod drains;
#[cfg(test)]
mod dynamics;
#[cfg(test)]
mod probe;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod storm;
#[cfg(test)]
mod strategies;
#[cfg(test)]
mod suspends;
#[cfg(test)]
mod tallies;
#[cfg(test)]
mod trees;
#[cfg(test)]
mod varying;
